/**
 * Buying and selling where the selected ship will be docked when its orders are done: what, how much, what it would cost
 * or bring, and what the price becomes.
 *
 * @import {Body, Id, Ship, View} from "./types"
 * @import {Shown} from "./fleet.js"
 * @import {Quote} from "./trade.js"
 */

import { byId, make, say } from "./dom.js";
import { formatCredits } from "./model.js";
import { afterQueue, quote } from "./trade.js";
import { describeQuote } from "./words.js";

const ALL = 1_000_000_000;

export class TradeForm {
  /** @param {(body: Body) => void} command */
  constructor(command) {
    this.command = command;
    this.form = byId("trade-form", HTMLFormElement);
    this.what = byId("trade-what", HTMLSelectElement);
    this.units = byId("trade-units", HTMLInputElement);
    this.go = byId("trade-go", HTMLButtonElement);
    this.offered = "";
    /** Whether the user has said how many; until then it is as many as possible. */
    this.typed = false;
    /** @type {{shown: Shown, id: Id, ship: Ship, station: Id} | null} */
    this.at = null;
    this.what.addEventListener("change", () => {
      this.typed = false;
      this.preview();
    });
    this.units.addEventListener("input", () => {
      this.typed = this.units.value !== "";
      this.preview();
    });
    byId("trade-most", HTMLButtonElement).addEventListener("click", () => {
      this.typed = false;
      this.preview();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  /** @param {Shown} shown @param {{id: Id, ship: Ship} | null} one the ship to trade with */
  update(shown, one) {
    const station = one ? afterQueue(one.ship).station : null;
    const known = station !== null && shown.view.stations[station] !== undefined;
    this.form.hidden = !known;
    this.at = known && one && station ? { shown, ...one, station } : null;
    if (!this.at) return;
    const { later } = afterQueue(this.at.ship);
    const name = shown.view.stations[this.at.station]?.name ?? this.at.station;
    say(byId("trade-where", HTMLElement), later ? `Then trade at ${name}` : `Trade at ${name}`);
    this.offer(shown.view, this.at.id, this.at.station);
    this.preview();
  }

  /**
   * What the station deals in, with its prices; what was chosen stays chosen.
   * @param {View} view
   * @param {Id} ship
   * @param {Id} station
   */
  offer(view, ship, station) {
    const held = view.stations[station];
    if (!held) return;
    const row = (/** @type {string} */ kind, /** @type {Id} */ ware) => ({
      value: `${kind}:${ware}`,
      text: `${kind === "buy" ? "Buy" : "Sell"} ${view.wares[ware]?.name ?? ware} at ${formatCredits(held.price[ware] ?? 0)}`,
    });
    const rows = [...held.sells.map((ware) => row("buy", ware)), ...held.buys.map((ware) => row("sell", ware))];
    const offered = JSON.stringify([ship, station, rows.map(({ value }) => value)]);
    if (offered !== this.offered) {
      this.offered = offered;
      const options = rows.map(({ value, text }) => Object.assign(make("option", { text }), { value }));
      this.what.replaceChildren(...options);
      const carried = held.buys.find((ware) => this.at && (afterQueue(this.at.ship).hold[ware] ?? 0) > 0);
      if (carried) this.what.value = `sell:${carried}`;
      this.typed = false;
    }
    for (const [index, { text }] of rows.entries()) {
      const option = this.what.options[index];
      if (option) say(option, text);
    }
  }

  /** @returns {{kind: "buy" | "sell", ware: Id} | null} */
  get chosen() {
    const [kind, ...rest] = this.what.value.split(":");
    return kind === "buy" || kind === "sell" ? { kind, ware: rest.join(":") } : null;
  }

  /** What a trade of so many would do. @param {number} units @returns {Quote | null} */
  quoted(units) {
    const { at, chosen } = this;
    if (!at || !chosen) return null;
    const { view, player, rules } = at.shown;
    const { hold } = afterQueue(at.ship);
    const credits = view.players[player ?? ""]?.credits ?? 0;
    return quote(view, rules, { ...chosen, station: at.station, units, hold, capacity: at.ship.capacity, credits });
  }

  /** Say what the trade in the form would do. */
  preview() {
    const { at, chosen } = this;
    if (!at || !chosen) {
      this.go.disabled = true;
      say(byId("trade-quote", HTMLElement), "It deals in nothing.");
      say(this.go, "Trade");
      return;
    }
    if (!this.typed && document.activeElement !== this.units)
      this.units.value = String(Math.max(1, this.quoted(ALL)?.units ?? 1));
    const wanted = Number(this.units.value);
    const fine = Number.isInteger(wanted) && wanted >= 1 && wanted <= ALL;
    const found = fine ? this.quoted(wanted) : null;
    const name = at.shown.view.wares[chosen.ware]?.name ?? chosen.ware;
    const { later } = afterQueue(at.ship);
    const verb = chosen.kind === "buy" ? "Buy" : "Sell";
    this.go.disabled = !fine;
    say(this.go, fine ? `${verb} ${wanted} ${name}` : verb);
    say(
      byId("trade-quote", HTMLElement),
      found ? describeQuote(name, chosen.kind, found, later) : "Choose how many units.",
    );
  }

  /** The form as an order: after the ship's other orders. */
  send() {
    const { at, chosen } = this;
    const units = Number(this.units.value);
    if (!at || !chosen || !units) return this.units.focus();
    this.command({ type: chosen.kind, ship: at.id, ware: chosen.ware, units, append: true });
    this.typed = false;
  }
}
