/** Reads [[view, [patch, ...]], ...] from standard input and writes the merged views; the caller compares. */

import { readFileSync } from "node:fs";

import { merge } from "../../../gamekit/web/js/model.js";

const cases = JSON.parse(readFileSync(0, "utf8"));
for (const [view, patches] of cases) for (const patch of patches) merge(view, patch);
process.stdout.write(JSON.stringify(cases.map(([view]) => view)));
