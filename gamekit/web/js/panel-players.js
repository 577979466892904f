/**
 * Who is in the game: players first, then the companies that belong to the scenario.
 *
 * @import {PlayPage} from "./play.js"
 */

import { make } from "./dom.js";
import { formatTime } from "./model.js";

/** @param {HTMLElement} body @param {PlayPage} page */
export function playersPanel(body, page) {
  const list = make("ul", { className: "players", testid: "players" });
  body.append(list);
  let shown = "";
  return {
    update() {
      const { view } = page.model;
      /** @type {Map<string, number>} */
      const fleets = new Map();
      for (const { owner } of Object.values(view.ships)) fleets.set(owner, (fleets.get(owner) ?? 0) + 1);
      const rows = Object.entries(view.players).map(([id, { name, joined, company = false }]) => ({
        id,
        name,
        joined,
        company,
        ships: fleets.get(id) ?? 0,
      }));
      rows.sort((a, b) => Number(a.company) - Number(b.company) || a.joined - b.joined || (a.id < b.id ? -1 : 1));
      const saying = JSON.stringify([rows, page.player]);
      if (saying === shown) return;
      shown = saying;
      list.replaceChildren(
        ...rows.map(({ id, name, joined, company, ships }) => {
          const what = company ? "company" : id === page.player ? "you" : `joined ${formatTime(joined, page.tickHz)}`;
          const item = make(
            "li",
            {},
            make("bdi", { className: "name", text: name }),
            make("span", { className: "quiet", text: what }),
            make("span", { className: "amount", text: `${ships} ship${ships === 1 ? "" : "s"}` }),
          );
          item.dataset.kind = company ? "company" : id === page.player ? "own" : "other";
          return item;
        }),
      );
    },
  };
}
