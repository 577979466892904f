/**
 * The market: for each ware where it is cheapest and where most is paid, what a unit carried from one to the other
 * earns, and how both prices went since the page was opened.
 *
 * @import {View} from "./types"
 * @import {PlayPage} from "./play.js"
 * @import {Offer, WareOffers} from "./market.js"
 */

import { make } from "./dom.js";
import { bestOffers } from "./market.js";
import { formatPrice } from "./model.js";
import { sparkline } from "./sparkline.js";

/** @param {HTMLElement} body @param {PlayPage} page */
export function marketPanel(body, page) {
  const about = make("p", {
    className: "about",
    text: "Best prices in the known galaxy, by what a unit earns. Solid: cheapest to buy; dashed: best to sell.",
  });
  const list = make("ul", { className: "market", testid: "market" });
  body.append(about, list);
  let shown = "";
  return {
    update() {
      const { view } = page.model;
      const rows = bestOffers(view).sort((a, b) => gain(b) - gain(a));
      const saying = JSON.stringify([rows, page.annals.edition]);
      // Who is about to follow a link keeps it under the pointer and under the focus.
      if (saying === shown || list.contains(document.activeElement)) return;
      shown = saying;
      list.replaceChildren(...rows.map((row) => wareItem(view, page, row)));
    },
  };
}

/** What a unit earns; none without both sides. @param {WareOffers} row */
function gain({ ask, bid }) {
  return ask && bid ? bid.price - ask.price : -Infinity;
}

/** @param {View} view @param {PlayPage} page @param {WareOffers} row */
function wareItem(view, page, row) {
  const name = view.wares[row.ware]?.name ?? row.ware;
  const earns = gain(row);
  const text = Number.isFinite(earns) ? `${earns > 0 ? "+" : ""}${formatPrice(earns).replace("-", "−")}` : "";
  const earned = make("span", { className: earns > 0 ? "gain good" : "gain", text });
  const held = page.annals.prices.get(row.ware);
  const curves = [
    { points: held?.ask.points ?? [], className: "ask" },
    { points: held?.bid.points ?? [], className: "bid" },
  ];
  const head = make(
    "div",
    { className: "line" },
    make("bdi", { className: "name", text: name }),
    sparkline(curves, 84, 22, `Prices of ${name}`),
    earned,
  );
  const item = make("li", { testid: `market-${row.ware}` }, head);
  for (const [verb, offer] of /** @type {[string, Offer | null][]} */ ([
    ["buy", row.ask],
    ["sell", row.bid],
  ])) {
    if (offer) item.append(offerLine(view, page, verb, offer));
  }
  return item;
}

/** @param {View} view @param {PlayPage} page @param {string} verb @param {Offer} offer */
function offerLine(view, page, verb, { station, price, units }) {
  const held = view.stations[station];
  const link = make("button", { className: "link" }, make("bdi", { text: held?.name ?? station }));
  link.addEventListener("click", () => page.showStation(station));
  return make(
    "div",
    { className: "line" },
    make("span", { className: "role", text: verb }),
    make("span", { className: "price", text: formatPrice(price) }),
    link,
    make("span", { className: "amount", text: units.toLocaleString("en") }),
  );
}
