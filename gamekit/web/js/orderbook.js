/**
 * Every order of this page from the click to its end: waiting, sent, acknowledged, then done or refused. Nothing leaves
 * before its end, a refusal stays until somebody has seen it; what is done is kept for a while, and never more than a
 * few of these. Pure: time comes in as an argument.
 *
 * @import {Body, Id, Outcome} from "./types"
 * @import {CommandQueue, Entry} from "./queue.js"
 */

/** How long a carried out order stays in sight, in milliseconds. */
const DONE_MS = 6000;
/** Most orders that are kept after they were carried out, and after they were refused. */
const DONE_LIMIT = 40;
const REFUSED_LIMIT = 1000;

/** @typedef {"waiting" | "sent" | "acknowledged" | "done" | "refused"} OrderState */

/**
 * @typedef {object} OrderRow
 * @property {number} key its number on this page
 * @property {Body} body
 * @property {OrderState} state
 * @property {string} message why it was refused
 * @property {number} endedMs when it ended
 */

export class OrderBook {
  constructor() {
    /** @type {Map<Entry, OrderRow>} */
    this.open = new Map();
    /** @type {OrderRow[]} */
    this.ended = [];
    this.made = 0;
  }

  /** Take over how the queue's commands stand. @param {CommandQueue} queue */
  follow(queue) {
    for (const entry of queue.entries) {
      const row = this.row(entry);
      const sent = entry.sent && queue.onWire.has(entry.cid);
      row.state = entry.seq !== null ? "acknowledged" : sent ? "sent" : "waiting";
    }
    const held = new Set(queue.entries);
    // Another queue was taken up: what is not in it any more ended under another page's eyes.
    for (const entry of this.open.keys()) if (!held.has(entry)) this.open.delete(entry);
  }

  /** @param {Entry} entry @returns {OrderRow} */
  row(entry) {
    let row = this.open.get(entry);
    if (!row) {
      this.made += 1;
      row = { key: this.made, body: entry.body, state: "waiting", message: "", endedMs: 0 };
      this.open.set(entry, row);
    }
    return row;
  }

  /**
   * An order has its outcome.
   * @param {Entry} entry
   * @param {Outcome} outcome
   * @param {number} nowMs
   * @returns {OrderRow}
   */
  end(entry, outcome, nowMs) {
    const row = this.row(entry);
    this.open.delete(entry);
    row.state = outcome.code ? "refused" : "done";
    row.message = outcome.code ? (outcome.message ?? outcome.code) : "";
    row.endedMs = nowMs;
    this.ended.push(row);
    const alike = this.ended.filter(({ state }) => state === row.state);
    if (alike.length > (outcome.code ? REFUSED_LIMIT : DONE_LIMIT))
      this.ended.splice(this.ended.indexOf(/** @type {OrderRow} */ (alike[0])), 1);
    return row;
  }

  /** All that was refused and is not put away, oldest first. */
  get refused() {
    return this.ended.filter(({ state }) => state === "refused").sort((a, b) => a.key - b.key);
  }

  /**
   * Take refusals out of sight.
   * @param {OrderRow[]} rows
   * @returns {Body[]} what was ordered, in the order in which it was given
   */
  dismiss(rows) {
    const gone = new Set(rows);
    const bodies = this.refused.filter((row) => gone.has(row)).map(({ body }) => body);
    this.ended = this.ended.filter((row) => !gone.has(row));
    return bodies;
  }

  /** What is to be seen, oldest first. @param {number} nowMs @returns {OrderRow[]} */
  seen(nowMs) {
    this.ended = this.ended.filter((row) => row.state === "refused" || nowMs - row.endedMs < DONE_MS);
    return [...this.ended, ...this.open.values()].sort((a, b) => a.key - b.key);
  }

  /**
   * The latest order of a kind to a ship that has not ended yet.
   * @param {Id} ship
   * @param {string} type
   * @returns {Body | undefined}
   */
  wanted(ship, type) {
    return [...this.open.values()].filter(({ body }) => body.ship === ship && body.type === type).at(-1)?.body;
  }

  /** What concerns one ship. @param {Id} ship @param {number} nowMs @returns {OrderRow[]} */
  of(ship, nowMs) {
    return this.seen(nowMs).filter((row) => row.body.ship === ship);
  }
}
