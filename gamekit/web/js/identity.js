/**
 * Which client id a tab uses. Commands are numbered per client id, so two living tabs must never share one; but a tab
 * that was closed with commands waiting leaves them behind, and another tab must send them, under the same id.
 *
 * An id belongs to the tab that holds its Web Lock; the browser frees the lock when the tab goes, however it goes. Over
 * a reload a tab finds its id in sessionStorage. The note is there only between `pagehide` and the next start, because
 * a duplicated tab gets a copy of sessionStorage. Where there are no locks (pages from an address that the browser does
 * not call secure) the note alone decides: then nothing is adopted from other tabs; what they left stays stored.
 *
 * @import {KeyValueStore} from "./types"
 */

import { CommandQueue, readStored } from "./queue.js";

/** How long a reloaded tab waits for its former self to let go of the id, in milliseconds. */
const HANDOVER_MS = 2000;

export class Identities {
  /**
   * @param {object} parts
   * @param {string} parts.prefix of the keys in storage; one for each game
   * @param {string} parts.token the player's
   * @param {KeyValueStore} parts.storage shared by the tabs
   * @param {KeyValueStore} parts.session the tab's own
   * @param {Pick<LockManager, "request"> | undefined} parts.locks
   * @param {() => string} [parts.newId]
   */
  constructor({ prefix, token, storage, session, locks, newId = randomId }) {
    this.prefix = `${prefix}client:`;
    this.token = token;
    this.storage = storage;
    this.session = session;
    this.locks = locks;
    this.newId = newId;
    /** @type {Map<string, () => void>} */
    this.releases = new Map();
  }

  /**
   * The queue under the tab's own id: its former one, else one that was left behind, else a new one.
   * @returns {Promise<CommandQueue>}
   */
  async claim() {
    const former = this.session.getItem(this.prefix);
    this.session.removeItem(this.prefix);
    const stored = former && readStored(this.storage, this.prefix + former);
    if (former && stored && stored.token === this.token && (await this.lock(former, HANDOVER_MS)))
      return this.open(former);
    return (await this.adopt(false)) ?? this.fresh();
  }

  /**
   * A queue that a closed tab of the same player left behind.
   * @param {boolean} [waiting] only one with commands in it
   * @returns {Promise<CommandQueue | null>}
   */
  async adopt(waiting = true) {
    if (!this.locks) return null;
    for (const id of this.left(waiting)) {
      // Read again under the lock: its tab may have emptied it meanwhile.
      if ((await this.lock(id)) && this.left(waiting, true).includes(id)) return this.open(id);
      this.release(id);
    }
    return null;
  }

  /**
   * Give up a queue whose commands have all ended, so that another tab can use its id.
   * @param {CommandQueue} queue
   */
  leave(queue) {
    this.release(queue.client);
  }

  /** Note the id for the next page in this tab; to be called at `pagehide`. @param {CommandQueue} queue */
  note(queue) {
    try {
      this.session.setItem(this.prefix, queue.client);
    } catch {
      // Without room for the note the next page takes another id; what waits under this one is adopted.
    }
  }

  /** @returns {Promise<CommandQueue>} */
  async fresh() {
    const id = this.newId();
    await this.lock(id);
    return this.open(id);
  }

  /** @param {string} id */
  open(id) {
    return new CommandQueue(this.storage, this.prefix + id, id, this.token);
  }

  /**
   * The ids in storage that are this player's, those with commands first.
   * @param {boolean} waiting only those with commands
   * @param {boolean} [held] also those whose lock this tab holds
   * @returns {string[]}
   */
  left(waiting, held = false) {
    const found = [];
    for (let index = 0; index < this.storage.length; index += 1) {
      const key = this.storage.key(index);
      if (!key?.startsWith(this.prefix)) continue;
      const id = key.slice(this.prefix.length);
      const stored = readStored(this.storage, key);
      if (stored?.token !== this.token || (this.releases.has(id) && !held)) continue;
      if (stored.entries.length || !waiting) found.push({ id, count: stored.entries.length });
    }
    return found.sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  }

  /**
   * Make an id this tab's own.
   * @param {string} id
   * @param {number} [waitMs] how long to wait for it; not at all when 0
   * @returns {Promise<boolean>}
   */
  lock(id, waitMs = 0) {
    const { locks } = this;
    if (!locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      const options = waitMs ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
      const request = locks.request(this.prefix + id, options, (lock) => {
        resolve(lock !== null);
        if (lock) return /** @type {Promise<void>} */ (new Promise((release) => this.releases.set(id, release)));
      });
      request.catch(() => resolve(false));
    });
  }

  /** @param {string} id */
  release(id) {
    this.releases.get(id)?.();
    this.releases.delete(id);
  }
}

/** A client id that nobody else has. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, "0")).join("");
}
