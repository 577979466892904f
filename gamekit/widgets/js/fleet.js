/** The fleet widget: a table of ships, one of which may be selected. */

import { make, say } from "../../web/js/dom.js";
import { formatSpan, placeOf, shipsOf } from "../../web/js/model.js";
import { describeEntry, describeStatus } from "../../web/js/words.js";
import { LiveView } from "./view.js";

/** @import {Ship, View} from "../../web/js/types" */

const HEAD = ["Ship", "Status", "Where", "Next", "Why", "Hold"];

/** Where a ship is, in words. @param {View} view @param {Ship} ship @param {number} tick */
export function whereabouts(view, ship, tick) {
  const place = placeOf(view, ship, tick);
  if (!place) return "nowhere known";
  if (place.type === "gate") return `in the gate to ${view.sectors[view.gates[place.exit]?.sector ?? ""]?.name ?? "the unknown"}`;
  return view.stations[place.station ?? ""]?.name ?? view.sectors[place.sector]?.name ?? place.sector;
}

/** The step under way, with the time it still takes. @param {View} view @param {Ship} ship @param {number} tick @param {number} tickHz */
export function nextStep(view, ship, tick, tickHz) {
  const entry = ship.queue?.[0];
  if (!entry) return "";
  const left = typeof entry.eta === "number" && entry.eta > tick ? `, ${formatSpan(entry.eta - tick, tickHz)}` : "";
  return describeEntry(view, entry) + left;
}

/** @param {View} view @param {Ship} ship */
function cargo(view, ship) {
  if (!ship.hold) return "";
  const held = Object.entries(ship.hold).filter(([, units]) => units > 0);
  return held.map(([ware, units]) => `${units} ${view.wares[ware]?.name ?? ware}`).join(", ") || "empty";
}

/** @param {{model: any, el: HTMLElement}} context */
async function render(context) {
  const view = await LiveView.open(context, "gamekit-fleet");
  const { model, frame } = view;
  const body = make("tbody");
  const head = make("tr", {}, ...HEAD.map((text) => make("th", { text })));
  frame.element.append(make("div", { className: "gamekit-scroll" }, make("table", {}, make("thead", {}, head), body)));
  /** @type {Map<string, HTMLTableRowElement>} */
  const rows = new Map();
  const draw = () => {
    const { view: game, player, clock } = view.now;
    const own = player === null ? Object.keys(game.ships ?? {}).sort() : shipsOf(game, player);
    for (const [id, row] of rows) if (!own.includes(id)) rows.delete(id) && row.remove();
    for (const id of own) {
      const ship = game.ships[id];
      const row = rows.get(id) ?? addRow(id);
      const why = `${ship.auto_trade ? "Auto-trade. " : ""}${ship.reason}`;
      const step = nextStep(game, ship, clock.tick, clock.tickHz);
      const texts = [ship.name, describeStatus(ship), whereabouts(game, ship, clock.tick), step, why, cargo(game, ship)];
      texts.forEach((text, index) => {
        const cell = row.cells[index];
        const inner = index ? cell : cell?.firstElementChild;
        if (inner instanceof HTMLElement) say(inner, text);
      });
      row.dataset.status = ship.status;
      row.setAttribute("aria-selected", String(model.get("selected") === id));
    }
  };
  const addRow = (/** @type {string} */ id) => {
    const button = make("button", { className: "link", testid: `fleet-${id}` });
    const row = make("tr", {}, make("td", {}, button), ...HEAD.slice(1).map(() => make("td")));
    row.addEventListener("click", () => view.set("selected", model.get("selected") === id ? "" : id));
    rows.set(id, row);
    body.append(row);
    return row;
  };
  view.listen("change:selected", draw);
  view.follow(draw);
  return () => frame.close();
}

export default { render };
