/**
 * The commands of one client that have no outcome yet, kept in the browser's storage so that they outlive a lost
 * connection, a reload and a closed tab.
 *
 * Laws: a command leaves only by its outcome. A command that may have reached the server keeps its `cid` for ever, so
 * that a resend is recognised. One that surely has not may be renumbered. Everything is stored before it is sent.
 *
 * @import {Body, KeyValueStore, Outcome} from "./types"
 */

/** Most commands sent and not yet acknowledged; the server refuses more. */
export const WINDOW = 128;

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
   */
  reconnected(lastCid) {
    this.onWire.clear();
    let next = Math.max(lastCid, ...this.stored.entries.filter((entry) => entry.sent).map((entry) => entry.cid)) + 1;
    for (const entry of this.stored.entries) {
      if (entry.sent) continue;
      entry.cid = Math.max(entry.cid, next);
      next = entry.cid + 1;
    }
    this.stored.next = Math.max(this.stored.next, next);
    this.save();
  }

  /** The commands to send now, in order; they count as sent from here on. @returns {{cid: number, body: Body}[]} */
  take() {
    const waiting = this.waiting;
    const room = WINDOW - waiting.filter((entry) => this.onWire.has(entry.cid)).length;
    const due = waiting.filter((entry) => !this.onWire.has(entry.cid)).slice(0, Math.max(0, room));
    for (const entry of due) {
      entry.sent = true;
      this.onWire.add(entry.cid);
    }
    if (due.length) this.save();
    return due.map(({ cid, body }) => ({ cid, body }));
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

  /** Write everything down. */
  save() {
    try {
      this.storage.setItem(this.key, JSON.stringify(this.stored));
      this.volatile = false;
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
