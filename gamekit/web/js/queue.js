/**
 * The commands of one client that have no outcome yet, kept in the browser's storage so that they outlive a lost
 * connection, a reload and a closed tab.
 *
 * Laws: a command leaves only by its outcome. A command that may have reached the server keeps its `cid` for ever, so
 * that a resend is recognised. One that surely has not may be renumbered. Everything is stored before it is sent. What
 * the server refuses for a reason that passes stays, and goes out again under its number before anything later.
 *
 * @import {Body, KeyValueStore, Outcome} from "./types"
 */

/** Most commands under way, which is sent and without an outcome, where the welcome does not tell. */
export const WINDOW = 128;
/** Refusals that pass: the command is sent again. See docs/protocol.md. */
export const PASSING = new Set(["too_many_pending", "readonly", "unavailable", "draining", "waking", "busy"]);

/**
 * @typedef {object} Entry
 * @property {number} cid
 * @property {Body} body
 * @property {boolean} sent whether it may have reached the server
 * @property {number | null} seq the journal record that holds it, once acknowledged
 */

/** @typedef {{token: string, next: number, entries: Entry[]}} Stored */

export class CommandQueue {
  /**
   * @param {KeyValueStore} storage
   * @param {string} key where it is stored
   * @param {string} client the id under which the server counts its commands
   * @param {string} token whose commands they are
   */
  constructor(storage, key, client, token) {
    this.storage = storage;
    this.key = key;
    this.client = client;
    const stored = readStored(storage, key);
    /** @type {Stored} */
    this.stored = stored?.token === token ? stored : { token, next: 1, entries: [] };
    /** What was sent on the present connection. @type {Set<number>} */
    this.onWire = new Set();
    /** The lowest that was refused for a reason that passes and must go out again; Infinity for none. */
    this.putOff = Infinity;
    /** How many commands may be under way. */
    this.window = WINDOW;
    /** Whether the browser refused to store something, so that a reload would lose it. */
    this.volatile = false;
  }

  /** Commands without an outcome, oldest first. @returns {readonly Entry[]} */
  get entries() {
    return this.stored.entries;
  }

  /** Commands that the server has not acknowledged, oldest first. */
  get waiting() {
    return this.stored.entries.filter((entry) => entry.seq === null);
  }

  /** Take in a command. @param {Body} body @returns {number} its cid */
  add(body) {
    const cid = this.stored.next;
    this.stored.next += 1;
    this.stored.entries.push({ cid, body, sent: false, seq: null });
    this.save();
    return cid;
  }

  /**
   * The server said what it knows of this client: what was never sent gets numbers that are new to it, and whatever is
   * not acknowledged is due again.
   * @param {number} lastCid the highest cid that the history holds
   * @param {number} [window] how many commands may be under way
   */
  reconnected(lastCid, window = WINDOW) {
    this.onWire.clear();
    this.putOff = Infinity;
    this.window = Math.max(1, window);
    let next = Math.max(lastCid, ...this.stored.entries.filter((entry) => entry.sent).map((entry) => entry.cid)) + 1;
    for (const entry of this.stored.entries) {
      if (entry.sent) continue;
      entry.cid = Math.max(entry.cid, next);
      next = entry.cid + 1;
    }
    this.stored.next = Math.max(this.stored.next, next);
    this.save();
  }

  /**
   * The commands to send now, in order; they count as sent from here on.
   * @param {boolean} [again] whether what was refused for a reason that passes may be tried again now
   * @returns {{cid: number, body: Body}[]}
   */
  take(again = false) {
    const waiting = this.waiting;
    if (this.putOff < Infinity) {
      // Answers to what was sent after it are still to come; what goes out now would be mixed up with them.
      if (!again || waiting.some(({ cid }) => cid > this.putOff && this.onWire.has(cid))) return [];
      this.putOff = Infinity;
    } else again = false;
    const underWay = this.stored.entries.filter(({ cid, seq }) => seq !== null || this.onWire.has(cid)).length;
    const room = Math.max(again ? 1 : 0, this.window - underWay);
    const due = waiting.filter((entry) => !this.onWire.has(entry.cid)).slice(0, room);
    for (const entry of due) {
      entry.sent = true;
      this.onWire.add(entry.cid);
    }
    if (due.length) this.save();
    return due.map(({ cid, body }) => ({ cid, body }));
  }

  /**
   * A command was refused for a reason that passes: it stays, and goes out again.
   * @param {number} cid
   * @returns {boolean} whether it is one of these
   */
  refused(cid) {
    const entry = this.stored.entries.find((one) => one.cid === cid && one.sent && one.seq === null);
    if (!entry) return false;
    this.onWire.delete(cid);
    this.putOff = Math.min(this.putOff, cid);
    return true;
  }

  /** A command is durable. @param {number} cid @param {number} seq of its journal record */
  acknowledged(cid, seq) {
    const entry = this.stored.entries.find((one) => one.cid === cid);
    if (!entry || entry.seq !== null) return;
    entry.seq = seq;
    this.save();
  }

  /**
   * A command has its outcome.
   * @param {number} cid
   * @returns {Entry | null} the command, if it was still without one
   */
  ended(cid) {
    const index = this.stored.entries.findIndex((entry) => entry.cid === cid && entry.sent);
    if (index < 0) return null;
    const [entry] = this.stored.entries.splice(index, 1);
    if (cid === this.putOff) this.putOff = this.lowestPutOff();
    this.save();
    return entry ?? null;
  }

  /**
   * End what a snapshot shows as decided: by its outcomes, and by records that it includes.
   * @param {number} seq the last journal record in the snapshot
   * @param {Outcome[]} outcomes the latest of this client
   * @returns {{entry: Entry, outcome: Outcome}[]}
   */
  settled(seq, outcomes) {
    const decided = [];
    const told = new Map(outcomes.map((outcome) => [outcome.cid, outcome]));
    for (const entry of [...this.stored.entries]) {
      const included = entry.seq !== null && entry.seq <= seq;
      const outcome = told.get(entry.cid) ?? (included ? { cid: entry.cid } : null);
      if (outcome && this.ended(entry.cid)) decided.push({ entry, outcome });
    }
    return decided;
  }

  /** The lowest number that was sent and is not on its way. */
  lowestPutOff() {
    return this.waiting.find(({ cid, sent }) => sent && !this.onWire.has(cid))?.cid ?? Infinity;
  }

  /** Write everything down. */
  save() {
    try {
      this.storage.setItem(this.key, JSON.stringify(this.stored));
      this.volatile = this.storage.forgets === true;
    } catch {
      this.volatile = true;
    }
  }
}

/**
 * What is stored under a key; null when there is nothing that makes sense.
 * @param {KeyValueStore} storage
 * @param {string} key
 * @returns {Stored | null}
 */
export function readStored(storage, key) {
  try {
    const value = JSON.parse(storage.getItem(key) ?? "null");
    return value && Array.isArray(value.entries) && Number.isInteger(value.next) ? value : null;
  } catch {
    return null;
  }
}
