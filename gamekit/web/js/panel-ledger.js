/**
 * The player's ledger since the page was opened: credits over time and every trade.
 *
 * @import {PlayPage} from "./play.js"
 */

import { make, say } from "./dom.js";
import { formatCredits, formatTime } from "./model.js";
import { sparkline } from "./sparkline.js";

/** @param {HTMLElement} body @param {PlayPage} page */
export function ledgerPanel(body, page) {
  const total = make("p", { className: "total", testid: "ledger-credits" });
  const change = make("p", { className: "about" });
  const curve = make("div", { className: "curve" });
  const list = make("ol", { className: "ledger", testid: "ledger" });
  body.append(total, change, curve, list);
  let shown = -1;
  return {
    update() {
      const { annals, player, tickHz } = page;
      const { view } = page.model;
      const credits = view.players[player ?? ""]?.credits;
      if (credits === undefined) return say(total, "You are watching: only players have a ledger.");
      say(total, `${formatCredits(credits)} cr`);
      if (shown === annals.edition) return;
      shown = annals.edition;
      const { points } = annals.credits;
      const since = credits - (points[0]?.[1] ?? credits);
      const sign = since > 0 ? "+" : since < 0 ? "−" : "±";
      say(
        change,
        `${sign}${formatCredits(Math.abs(since))} cr since this page was opened, ${annals.trades.length} trade${annals.trades.length === 1 ? "" : "s"}`,
      );
      curve.replaceChildren(sparkline([{ points, className: "purse" }], 320, 56, "Credits over time"));
      const named = (/** @type {Record<string, {name: string}>} */ table, /** @type {string} */ id) =>
        table[id]?.name ?? id;
      const rows = [...annals.trades].reverse().map(({ tick, ship, station, ware, units, total: sum, fee, bought }) => {
        const flow = bought ? -(sum + fee) : sum - fee;
        const what = `${bought ? "Bought" : "Sold"} ${units} ${named(view.wares, ware)}`;
        return make(
          "li",
          {},
          make(
            "span",
            { className: "line" },
            make("span", { className: "name", text: what }),
            make("span", {
              className: flow > 0 ? "flow good" : "flow",
              text: `${flow > 0 ? "+" : "−"}${formatCredits(Math.abs(flow))}`,
            }),
          ),
          make(
            "span",
            { className: "quiet" },
            `${formatTime(tick, tickHz)} · `,
            make("bdi", { text: named(view.ships, ship) }),
            " at ",
            make("bdi", { text: named(view.stations, station) }),
            fee ? `, fee ${formatCredits(fee)}` : "",
          ),
        );
      });
      list.replaceChildren(...rows);
    },
  };
}
