/**
 * The fleet panel: the player's ships with what they do and why, the latest orders, and within the selected ship's row
 * its orders (`orders.js`). It owns its elements; what the player wants goes out by callbacks, what is shown comes in
 * by `update`.
 *
 * @import {Body, Id, Ship, View} from "./types"
 * @import {OrderBook, OrderRow} from "./orderbook.js"
 * @import {Rules} from "./trade.js"
 */

import { byId, make, say } from "./dom.js";
import { LatestOrders } from "./latest.js";
import { formatCredits, shipsOf } from "./model.js";
import { Orders } from "./orders.js";
import { describeStatus } from "./words.js";

/**
 * @typedef {object} FleetSink
 * @property {(ship: Id, more: boolean) => void} select more: besides those that are selected
 * @property {(ships: Id[]) => void} selectAll
 * @property {(body: Body) => void} command
 * @property {(rows: OrderRow[]) => void} dismiss
 * @property {(rows: OrderRow[]) => void} again
 */

/**
 * @typedef {{row: HTMLLIElement, button: HTMLButtonElement} & Record<"name" | "status" | "reason", HTMLElement>}
 * ShipRow
 */

/**
 * @typedef {object} Shown
 * @property {View} view
 * @property {Id | null} player
 * @property {Set<Id>} selection
 * @property {Rules} rules
 * @property {OrderBook} book
 */

export class Fleet {
  /** @param {FleetSink} sink */
  constructor(sink) {
    this.sink = sink;
    this.list = byId("ships", HTMLUListElement);
    this.orders = new Orders(sink.command);
    this.latest = new LatestOrders(sink.dismiss, sink.again);
    /** @type {Map<Id, ShipRow>} */
    this.rows = new Map();
    /** @type {Id[]} */
    this.own = [];
    byId("all-select", HTMLButtonElement).addEventListener("click", () => {
      const all = byId("all-select", HTMLButtonElement).dataset.all === "yes";
      sink.selectAll(all ? [] : this.own);
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
    return this.orders.append;
  }

  /** Show things as they are now. @param {Shown} shown */
  update(shown) {
    const { view, player, selection, book } = shown;
    this.own = shipsOf(view, player);
    const chosen = this.own.filter((id) => selection.has(id));
    const credits = player === null ? undefined : view.players[player]?.credits;
    say(byId("credits", HTMLElement), credits === undefined ? "" : `${formatCredits(credits)} cr`);
    say(byId("panel-title", HTMLElement), player === null ? "Watching" : (view.players[player]?.name ?? "My ships"));
    this.showAll(chosen);
    this.showRows(view, chosen);
    this.latest.update(view, book);
    const home = this.rows.get(chosen.at(-1) ?? "")?.row;
    this.orders.update(shown, chosen);
    if (home && this.orders.element.parentElement !== home) home.append(this.orders.element);
  }

  /** With several ships: how many are selected, and all or none at once. @param {Id[]} chosen */
  showAll(chosen) {
    byId("all", HTMLElement).hidden = this.own.length < 2;
    const button = byId("all-select", HTMLButtonElement);
    const all = chosen.length === this.own.length;
    button.dataset.all = all ? "yes" : "";
    say(button, all ? "Select none" : "Select all");
    say(byId("all-text", HTMLElement), `${this.own.length} ships${chosen.length ? `, ${chosen.length} selected` : ""}`);
  }

  /** @param {View} view @param {Id[]} chosen */
  showRows(view, chosen) {
    const there = new Set(this.own);
    for (const [id, { row }] of this.rows) {
      if (there.has(id)) continue;
      // The orders are wanted again in another row.
      if (row.contains(this.orders.element)) this.list.after(this.orders.element);
      row.remove();
      this.rows.delete(id);
    }
    for (const [index, id] of this.own.entries()) {
      const shown = this.rows.get(id) ?? this.addRow(id);
      if (this.list.children[index] !== shown.row) this.list.insertBefore(shown.row, this.list.children[index] ?? null);
      const ship = /** @type {Ship} */ (view.ships[id]);
      say(shown.name, ship.name);
      say(shown.status, `${ship.auto_trade ? "auto · " : ""}${describeStatus(ship)}`);
      shown.status.dataset.status = ship.status;
      say(shown.reason, ship.reason);
      shown.button.setAttribute("aria-pressed", String(chosen.includes(id)));
    }
  }

  /** @param {Id} id @returns {ShipRow} */
  addRow(id) {
    const name = make("bdi", { className: "name" });
    const status = make("span", { className: "status" });
    const reason = make("span", { className: "reason" });
    const button = make("button", { className: "ship", testid: `ship-${id}` }, name, status, reason);
    button.dataset.ship = id;
    button.addEventListener("click", (event) => this.sink.select(id, event.shiftKey || event.ctrlKey || event.metaKey));
    const shown = { row: make("li", {}, button), button, name, status, reason };
    this.rows.set(id, shown);
    return shown;
  }

  /** Count down. @param {number} tick @param {number} tickHz */
  passTime(tick, tickHz) {
    this.orders.passTime(tick, tickHz);
    this.latest.passTime();
  }
}
