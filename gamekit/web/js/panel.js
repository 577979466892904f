/**
 * The side panel: the player's ships with what they do and why, and the selected ship's queue and controls.
 *
 * It owns its elements. What the player wants goes out by callbacks; what is shown comes in by `update`.
 *
 * @import {Body, Destination, Id, QueueEntry, Ship, View} from "./types"
 */

import { byId, make, say } from "./dom.js";
import { formatCredits, formatSpan, shipsOf } from "./model.js";
import { describeEntry } from "./words.js";

/**
 * @typedef {object} PanelSink
 * @property {(ship: Id) => void} select
 * @property {(body: Body) => void} command
 */

/** @typedef {Record<"name" | "status" | "reason", HTMLElement>} ShipTexts */
/** @typedef {{row: HTMLLIElement, button: HTMLButtonElement} & ShipTexts} ShipRow */

const REFILLED = "data-filled-for";

export class Panel {
  /** @param {PanelSink} sink */
  constructor(sink) {
    this.sink = sink;
    this.list = byId("ships", HTMLUListElement);
    this.orders = byId("orders", HTMLElement);
    this.queue = byId("queue", HTMLOListElement);
    this.goals = byId("send", HTMLSelectElement);
    this.appending = byId("append", HTMLInputElement);
    /** @type {Map<Id, ShipRow>} */
    this.rows = new Map();
    /** @type {Id | null} */
    this.selected = null;
    this.queueShown = "";
    const tap = matchMedia("(hover: none)").matches ? "Tap" : "Click";
    const shift = tap === "Click" ? "; Shift adds to the queue" : "";
    this.hints = {
      idle: `${tap} a place, station or gate on the map to send it there.`,
      flying: `${tap} the map to change its course${shift}.`,
    };
    /** @type {{element: HTMLElement, eta: number}[]} */
    this.etas = [];
    byId("stop", HTMLButtonElement).addEventListener("click", () => {
      if (this.selected) sink.command({ type: "stop", ship: this.selected });
    });
    // Browsers differ in what Enter does on a list: open it, send its form, nothing.
    this.goals.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.goals.value) return;
      event.preventDefault();
      this.send();
    });
    byId("send-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    const panel = byId("panel", HTMLElement);
    const fold = byId("fold", HTMLButtonElement);
    fold.addEventListener("click", () => {
      const folded = panel.classList.toggle("folded");
      fold.setAttribute("aria-expanded", String(!folded));
    });
  }

  /** Whether orders are to be added to the queue, and do not replace it. */
  get append() {
    return this.appending.checked;
  }

  /**
   * Show the view as it is now.
   * @param {View} view
   * @param {Id | null} player
   * @param {Id | null} selected
   */
  update(view, player, selected) {
    const own = shipsOf(view, player);
    this.selected = selected !== null && own.includes(selected) ? selected : null;
    const credits = player === null ? undefined : view.players[player]?.credits;
    say(byId("credits", HTMLElement), credits === undefined ? "" : `${formatCredits(credits)} cr`);
    say(byId("panel-title", HTMLElement), player === null ? "Watching" : (view.players[player]?.name ?? "My ships"));
    this.showRows(view, own);
    const ship = this.selected === null ? undefined : view.ships[this.selected];
    this.orders.hidden = !ship;
    if (ship && this.selected) this.showOrders(view, this.selected, ship);
  }

  /** @param {View} view @param {Id[]} own */
  showRows(view, own) {
    for (const [id, { row }] of this.rows) {
      if (own.includes(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    for (const [index, id] of own.entries()) {
      const shown = this.rows.get(id) ?? this.addRow(id);
      if (this.list.children[index] !== shown.row) this.list.insertBefore(shown.row, this.list.children[index] ?? null);
      const ship = /** @type {Ship} */ (view.ships[id]);
      const chosen = id === this.selected;
      say(shown.name, ship.name);
      say(shown.status, ship.status);
      shown.status.dataset.status = ship.status;
      say(shown.reason, ship.reason);
      shown.button.setAttribute("aria-pressed", String(chosen));
      if (chosen && this.orders.parentElement !== shown.row) shown.row.append(this.orders);
    }
  }

  /** @param {Id} id @returns {ShipRow} */
  addRow(id) {
    const name = make("span", { className: "name" });
    const status = make("span", { className: "status" });
    const reason = make("span", { className: "reason" });
    const button = make("button", { className: "ship", testid: `ship-${id}` }, name, status, reason);
    button.dataset.ship = id;
    button.addEventListener("click", () => this.sink.select(id));
    const shown = { row: make("li", {}, button), button, name, status, reason };
    this.rows.set(id, shown);
    return shown;
  }

  /** @param {View} view @param {Id} id @param {Ship} ship */
  showOrders(view, id, ship) {
    const load = Object.entries(ship.hold ?? {}).filter(([, units]) => units > 0);
    const cargo = load.map(([ware, units]) => `${units} ${view.wares[ware]?.name ?? ware}`).join(", ");
    say(byId("hold", HTMLElement), `${ship.class}, hold: ${cargo || "empty"}`);
    const queue = ship.queue ?? [];
    const saying = JSON.stringify([id, queue]);
    if (saying !== this.queueShown) {
      this.queueShown = saying;
      this.etas = [];
      this.queue.replaceChildren(...queue.map((entry) => this.queueRow(view, id, entry)));
    }
    say(byId("hint", HTMLElement), queue.length ? this.hints.flying : this.hints.idle);
    this.fillGoals(view);
  }

  /** @param {View} view @param {Id} ship @param {QueueEntry} entry */
  queueRow(view, ship, entry) {
    const eta = make("span", { className: "eta" });
    if (typeof entry.eta === "number") this.etas.push({ element: eta, eta: entry.eta });
    const text = describeEntry(view, entry);
    const cancel = make("button", {
      className: "cancel",
      text: "×",
      label: `Take out: ${text}`,
      testid: `cancel-${entry.id}`,
    });
    cancel.addEventListener("click", () => this.sink.command({ type: "cancel", ship, entry: entry.id }));
    const row = make("li", { testid: "queue-entry" }, make("span", { className: "step", text }), eta, cancel);
    row.dataset.status = entry.status;
    row.dataset.type = entry.type;
    row.dataset.entry = String(entry.id);
    return row;
  }

  /** Count down to the steps' ends. @param {number} tick @param {number} tickHz */
  passTime(tick, tickHz) {
    for (const { element, eta } of this.etas) say(element, eta > tick ? formatSpan(eta - tick, tickHz) : "");
  }

  /** Offer every sector and station to send a ship to, for keyboards and small screens. @param {View} view */
  fillGoals(view) {
    const sectors = Object.entries(view.sectors).sort(([, a], [, b]) => a.name.localeCompare(b.name));
    const filledFor = `${sectors.length} ${Object.keys(view.stations).length}`;
    if (this.goals.getAttribute(REFILLED) === filledFor) return;
    this.goals.setAttribute(REFILLED, filledFor);
    const option = (/** @type {string} */ text, /** @type {Destination | null} */ to) => {
      const made = make("option", { text });
      made.value = to ? JSON.stringify(to) : "";
      return made;
    };
    /** @type {Map<Id, HTMLOptGroupElement>} */
    const groups = new Map();
    for (const [id, { name }] of sectors) {
      const group = make("optgroup", {}, option(`${name}, the middle`, { sector: id, x: 0, y: 0 }));
      group.label = name;
      groups.set(id, group);
    }
    for (const [station, { name, sector }] of Object.entries(view.stations))
      groups.get(sector)?.append(option(name, { station }));
    this.goals.replaceChildren(option("a place…", null), ...groups.values());
  }

  /** The chosen goal as an order. */
  send() {
    if (!this.goals.value) this.goals.focus();
    if (!this.goals.value || !this.selected) return;
    const to = JSON.parse(this.goals.value);
    this.goals.value = "";
    this.sink.command({ type: "move", ship: this.selected, to, append: this.append });
  }
}
