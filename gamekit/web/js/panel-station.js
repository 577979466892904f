/**
 * A station: what it is and how it stands, its recipe, and each ware with stock, room and price.
 *
 * @import {Id, Station, View} from "./types"
 * @import {PlayPage} from "./play.js"
 */

import { make, say } from "./dom.js";
import { formatPrice, formatSpan, formatTime } from "./model.js";
import { editionOf, fillWhenWanted, isLarge, placesBySector } from "./places.js";
import { Shipyard } from "./shipyard.js";

/** @param {HTMLElement} body @param {PlayPage} page */
export function stationPanel(body, page) {
  return new StationPanel(body, page);
}

class StationPanel {
  /** @param {HTMLElement} body @param {PlayPage} page */
  constructor(body, page) {
    this.page = page;
    this.choice = make("select", { testid: "station-choice", label: "Station" });
    this.choice.addEventListener("change", () => page.info.look(this.choice.value));
    this.facts = make("p", { className: "facts" });
    this.standing = make("p", { className: "standing", testid: "station-standing" });
    this.recipe = make("p", { className: "recipe", testid: "station-recipe" });
    this.wares = make("ul", { className: "wares", testid: "station-wares" });
    const show = make("button", { className: "small", text: "On the map" });
    show.addEventListener("click", () => page.showStation(page.info.station));
    const send = (this.send = make("button", {
      className: "small",
      text: "Send ships here",
      testid: "station-send",
    }));
    send.addEventListener("click", () => page.info.station && page.sendTo({ station: page.info.station }));
    this.shipyard = new Shipyard(page);
    this.ships = make("button", { className: "small", text: "Ships", testid: "station-ships" });
    this.ships.addEventListener("click", () => this.shipyard.element.scrollIntoView({ block: "start" }));
    body.append(
      this.choice,
      this.facts,
      this.standing,
      this.recipe,
      make("div", { className: "actions" }, show, send, this.ships),
      this.wares,
      this.shipyard.element,
    );
    this.filledFor = "";
    /** Whether somebody is about to open the list of stations. */
    this.opening = false;
    fillWhenWanted(this.choice, () => {
      this.opening = true;
      this.fill(page.model.view);
      this.opening = false;
    });
    this.shown = "";
  }

  update() {
    const { view } = this.page.model;
    this.fill(view);
    const id = this.known(view);
    const station = view.stations[id];
    if (!station) return say(this.facts, "No station is known yet.");
    this.page.info.station = this.choice.value = id;
    const sector = view.sectors[station.sector]?.name ?? station.sector;
    const owner = station.owner ? ` · ${view.players[station.owner]?.name ?? station.owner}` : "";
    say(this.facts, `${capital(station.kind)} in ${sector}${owner}`);
    this.standing.dataset.status = station.status;
    say(this.standing, standing(station, this.page.tickHz));
    say(this.recipe, recipe(view, station, this.page.tickHz));
    this.recipe.hidden = !station.recipe;
    this.send.hidden = !this.page.map.commands;
    this.shipyard.update(view, id, station);
    this.ships.hidden = this.shipyard.element.hidden;
    const rows = wareRows(view, station);
    const shown = JSON.stringify([id, rows]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.wares.replaceChildren(...rows.map(wareItem));
  }

  /** The station to show: the one that is looked at, else where the selected ship is, else any. @param {View} view */
  known(view) {
    const { info, map } = this.page;
    if (info.station && view.stations[info.station]) return info.station;
    const at = view.ships[map.selected ?? ""]?.at ?? view.ships[this.page.fleet.own[0] ?? ""]?.at;
    const docked = at?.type === "dock" ? at.station : "";
    return view.stations[docked] ? docked : (Object.keys(view.stations)[0] ?? "");
  }

  /** @param {View} view */
  fill(view) {
    const filledFor = editionOf(view);
    if (filledFor === this.filledFor) return;
    if (isLarge(view) && !this.opening) return this.offerOnly(view);
    this.filledFor = filledFor;
    const groups = placesBySector(view, (station) => station).map(({ group }) => group);
    const { value } = this.choice;
    this.choice.replaceChildren(...groups.filter((group) => group.children.length));
    if (value) this.choice.value = value;
  }

  /** Until the list is opened it has the one station that is shown. @param {View} view */
  offerOnly(view) {
    const id = this.known(view);
    if (this.choice.value === id) return;
    this.choice.replaceChildren(Object.assign(make("option", { text: view.stations[id]?.name ?? id }), { value: id }));
  }
}

/** How a station stands, in words. @param {Station} station @param {number} tickHz */
function standing(station, tickHz) {
  const troubled = station.status === "starved" || station.status === "clogged";
  const since = troubled && station.since !== undefined ? `, since ${formatTime(station.since, tickHz)}` : "";
  if (station.status === "starved") return `▽ Starved: it stands still, ${station.reason}${since}`;
  if (station.status === "clogged") return `△ Clogged: it stands still, ${station.reason}${since}`;
  return capital(station.reason || station.status);
}

/** @param {View} view @param {Station} station @param {number} tickHz */
function recipe(view, station, tickHz) {
  if (!station.recipe) return "";
  const list = (/** @type {Record<Id, number>} */ units) =>
    Object.entries(units)
      .map(([ware, count]) => `${count} ${view.wares[ware]?.name ?? ware}`)
      .join(" + ");
  const { inputs, outputs, cycle_ticks } = station.recipe;
  const every = `every ${formatSpan(cycle_ticks, tickHz)}`;
  const [used, made] = [list(inputs), list(outputs)];
  if (!used) return `Makes ${made} ${every}`;
  return made ? `${used} → ${made}, ${every}` : `Uses ${used} ${every}`;
}

/** What a station does with a ware, as seen by a ship. @param {Station} station @param {Id} ware */
function roleOf(station, ware) {
  const [sells, buys] = [station.sells.includes(ware), station.buys.includes(ware)];
  return sells && buys ? "trades" : sells ? "sells" : buys ? "buys" : "";
}

/** @typedef {{name: string, role: string, stock: number, capacity: number, price: number, base: number}} WareRow */

/** @param {View} view @param {Station} station @returns {WareRow[]} */
function wareRows(view, station) {
  const rows = Object.keys(station.price ?? {}).map((ware) => ({
    name: view.wares[ware]?.name ?? ware,
    role: roleOf(station, ware),
    stock: station.stock[ware] ?? 0,
    capacity: station.capacity[ware] ?? 0,
    price: station.price[ware] ?? 0,
    base: view.wares[ware]?.base_price ?? 0,
  }));
  return rows.sort((a, b) => b.role.localeCompare(a.role) || a.name.localeCompare(b.name));
}

/** @param {WareRow} row */
function wareItem({ name, role, stock, capacity, price, base }) {
  const meter = make("meter", { label: `Stock of ${name}` });
  Object.assign(meter, { min: 0, max: Math.max(1, capacity), value: stock });
  const percent = base ? Math.round((100 * (price - base)) / base) : 0;
  const against = percent ? `${percent > 0 ? "▲" : "▼"} ${Math.abs(percent)} %` : "=";
  const head = make(
    "div",
    { className: "line" },
    make("span", { className: "role", text: role }),
    make("bdi", { className: "name", text: name }),
    make("span", { className: "against", text: against }),
    make("span", { className: "price", text: formatPrice(price) }),
  );
  const amount = make("span", {
    className: "amount",
    text: `${stock.toLocaleString("en")} / ${capacity.toLocaleString("en")}`,
  });
  return make("li", {}, head, make("div", { className: "line" }, meter, amount));
}

/** @param {string} word */
function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
