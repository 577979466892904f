/**
 * What this page has seen happen, in bounded books: the event log, the player's trades, the purse and the best prices
 * over time. Pure: no DOM; ticks come in with what is noted. Nothing here grows without end: lists forget their oldest
 * rows, series keep their whole span with ever fewer points.
 *
 * @import {Delta, Id, View} from "./types"
 */

import { bestOffers } from "./market.js";
import { tell } from "./tales.js";

const LOG_LIMIT = 300;
const TRADE_LIMIT = 200;
const POINT_LIMIT = 120;

/** A value over time in at most `POINT_LIMIT` points. */
export class Series {
  constructor() {
    /** @type {[tick: number, value: number][]} */
    this.points = [];
    /** Least ticks between two points; doubles whenever there are too many. */
    this.apart = 0;
  }

  /** @param {number} tick @param {number} value */
  push(tick, value) {
    const last = this.points.at(-1);
    if (last && tick < last[0]) this.points = [];
    const before = this.points.at(-2);
    // The last point is always the present; it stays as a point of its own once it is far enough from the one before.
    if (last && before && last[0] - before[0] < this.apart) this.points.pop();
    this.points.push([tick, value]);
    if (this.points.length <= POINT_LIMIT) return;
    this.points = this.points.filter((_, index) => index % 2 === 0 || index === this.points.length - 1);
    const [first, end] = [this.points[0], this.points.at(-1)];
    if (first && end) this.apart = (end[0] - first[0]) / (POINT_LIMIT / 2);
  }
}

/** @typedef {{tick: number, text: string, kind: "" | "good" | "bad" | "trade"}} LogRow */
/**
 * @typedef {{tick: number, ship: Id, station: Id, ware: Id, units: number, total: number, fee: number, bought:
 * boolean}} TradeRow
 */

export class Annals {
  constructor() {
    /** Newest last. @type {LogRow[]} */
    this.log = [];
    /** Newest last. @type {TradeRow[]} */
    this.trades = [];
    this.credits = new Series();
    /** @type {Map<Id, {ask: Series, bid: Series}>} */
    this.prices = new Map();
    /** Counts what was noted, so that a panel knows when to draw anew. */
    this.edition = 0;
  }

  /**
   * Write a line into the log, as the newest or before another.
   * @param {number} tick
   * @param {string} text
   * @param {LogRow["kind"]} [kind]
   * @param {LogRow} [before]
   */
  note(tick, text, kind = "", before) {
    this.edition += 1;
    const index = before ? this.log.indexOf(before) : -1;
    this.log.splice(index < 0 ? this.log.length : index, 0, { tick, text, kind });
    if (this.log.length > LOG_LIMIT) this.log.splice(0, this.log.length - LOG_LIMIT);
  }

  /**
   * Write down what a delta tells.
   * @param {View} view after the merge
   * @param {Id | null} player
   * @param {Delta} message
   * @param {Map<string, number>} [asked] units by "ship:order", where the server does not say what was wanted
   * @returns {LogRow[]} what was noted
   */
  delta(view, player, message, asked = new Map()) {
    const from = this.log.length;
    let noted = 0;
    message.events.forEach((event, index) => {
      const tick = message.at?.[index] ?? message.tick;
      const done = event.type === "WareBought" || event.type === "WareSold";
      if (done && event.player === player) this.trade(tick, event);
      // The end of the trade's own entry names its order.
      const end =
        done &&
        message.events.slice(index + 1, index + 8).find((one) => one.type === "EntryDone" && one.ship === event.ship);
      const wanted = event.wanted ?? (end ? asked.get(`${event.ship}:${end.order}`) : undefined);
      const told = tell(view, player, wanted === undefined ? event : { ...event, wanted });
      if (!told) return;
      this.note(tick, told.text, told.kind);
      noted += 1;
    });
    return noted ? this.log.slice(Math.max(0, Math.min(from, this.log.length - noted))) : [];
  }

  /** @param {number} tick @param {Record<string, any>} event */
  trade(tick, event) {
    const { ship, station, ware, units, total, fee = 0 } = event;
    this.trades.push({ tick, ship, station, ware, units, total, fee, bought: event.type === "WareBought" });
    if (this.trades.length > TRADE_LIMIT) this.trades.splice(0, this.trades.length - TRADE_LIMIT);
  }

  /**
   * Look at purse and prices; to be called now and then.
   * @param {View} view
   * @param {Id | null} player
   * @param {number} tick
   */
  sample(view, player, tick) {
    this.edition += 1;
    const credits = player === null ? undefined : view.players[player]?.credits;
    if (credits !== undefined) this.credits.push(tick, credits);
    for (const { ware, ask, bid } of bestOffers(view)) {
      let held = this.prices.get(ware);
      if (!held) this.prices.set(ware, (held = { ask: new Series(), bid: new Series() }));
      if (ask) held.ask.push(tick, ask.price);
      if (bid) held.bid.push(tick, bid.price);
    }
  }
}
