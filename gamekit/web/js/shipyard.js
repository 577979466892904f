/**
 * A shipyard's offers: new ships by class, and taking back those that are docked there. Shown where the game has ship
 * classes and the station sells ships.
 *
 * @import {Id, ShipClass, Station, View} from "./types"
 * @import {PlayPage} from "./play.js"
 */

import { make } from "./dom.js";
import { formatCredits } from "./model.js";

export class Shipyard {
  /** @param {PlayPage} page */
  constructor(page) {
    this.page = page;
    this.element = make("ul", { className: "wares", testid: "shipyard", label: "Ships for sale" });
    this.shown = "";
  }

  /** @param {View} view @param {Id} id @param {Station} station */
  update(view, id, station) {
    const { page } = this;
    const classes = /** @type {Record<Id, ShipClass>} */ (view.ship_classes ?? {});
    const docked = page.fleet.own.filter((ship) => {
      const at = view.ships[ship]?.at;
      return at?.type === "dock" && at.station === id;
    });
    const offered = station.shipyard && page.player !== null ? Object.entries(classes) : [];
    this.element.hidden = !offered.length;
    const saying = JSON.stringify([id, offered, docked.map((ship) => view.ships[ship]?.name)]);
    if (saying === this.shown) return;
    this.shown = saying;
    const rows = offered.map(([kind, { name, speed_percent, capacity_percent, price }]) =>
      row(`${name}: speed ${speed_percent} %, hold ${capacity_percent} %`, `Buy for ${formatCredits(price)}`, () =>
        page.command({ type: "buy_ship", class: kind, station: id }),
      ),
    );
    const back = offered.length ? docked : [];
    rows.push(
      ...back.map((ship) =>
        row(view.ships[ship]?.name ?? ship, "Give back", () => page.command({ type: "sell_ship", ship })),
      ),
    );
    this.element.replaceChildren(...rows);
  }
}

/** @param {string} text @param {string} label @param {() => void} act */
function row(text, label, act) {
  const button = make("button", { className: "small", text: label, label: `${label}: ${text}` });
  button.addEventListener("click", act);
  return make("li", { className: "line" }, make("bdi", { className: "name", text }), button);
}
