// Reads [[base, spread, stock, units, capacity], ...] and writes [[price, buying, selling], ...] as the page works it out.
import { readFileSync } from "node:fs";

import { buyingTotal, priceAt, sellingTotal } from "../../../gamekit/web/js/trade.js";

const cases = JSON.parse(readFileSync(0, "utf8"));
const worked = cases.map(([base, spread, stock, units, capacity]) => [
  priceAt(base, spread, stock, capacity),
  buyingTotal(base, spread, stock, units, capacity),
  sellingTotal(base, spread, stock, units, capacity),
]);
process.stdout.write(JSON.stringify(worked));
