/**
 * Copies of what the page keeps, for a browser that is killed: localStorage reaches the disk seconds after it was written,
 * or minutes where much is written, and what came later is gone. IndexedDB is asked to have it there at once.
 *
 * Every write has a number, and the last one stands in localStorage too, which is written in order: what has a higher number
 * here than there was lost there, and is put back when the next page starts. Where there is no IndexedDB nothing is copied.
 *
 * @import {KeyValueStore} from "./types"
 */

const NAME = "gamekit";
const TABLE = "kept";
/** How long a page waits for the copies when it starts, in milliseconds. */
const PATIENCE_MS = 1500;

/** @typedef {{key: string, value: string | null, stamp: number}} Copy value: null for what was removed */

export class Vault {
  /**
   * @param {KeyValueStore} store what is copied
   * @param {string} prefix of the keys that are this server's
   * @param {() => IDBFactory | undefined} [factory]
   */
  constructor(store, prefix, factory = () => globalThis.indexedDB) {
    this.store = store;
    this.prefix = prefix;
    this.stampKey = `${prefix}stamp`;
    this.opening = opened(factory);
    /** What is to be copied next, by key. @type {Map<string, Copy>} */
    this.waiting = new Map();
    this.busy = false;
    /** Resolves when all that was written until now is on the disk, or cannot be. @type {Promise<void>} */
    this.written = Promise.resolve();
  }

  /** The number of the last write that localStorage knows of. */
  get stamp() {
    return Number(this.store.getItem(this.stampKey)) || 0;
  }

  /** The store, with every write copied. @returns {KeyValueStore} */
  copied() {
    const { store } = this;
    return {
      get length() {
        return store.length;
      },
      key: (index) => store.key(index),
      getItem: (key) => store.getItem(key),
      setItem: (key, value) => {
        store.setItem(key, value);
        this.copy(key, value);
      },
      removeItem: (key) => {
        store.removeItem(key);
        this.copy(key, null);
      },
    };
  }

  /** @param {string} key @param {string | null} value */
  copy(key, value) {
    const stamp = this.stamp + 1;
    try {
      this.store.setItem(this.stampKey, String(stamp));
    } catch {
      // Without room for the number the copy would pass for a lost write.
      return;
    }
    this.waiting.set(key, { key, value, stamp });
    if (!this.busy) this.written = this.write();
  }

  /** Copy what waits; what comes meanwhile goes together afterwards. */
  async write() {
    this.busy = true;
    const database = await this.opening;
    while (database && this.waiting.size) {
      const copies = [...this.waiting.values()];
      this.waiting.clear();
      await put(database, copies).catch(() => {});
    }
    this.waiting.clear();
    this.busy = false;
  }

  /** Put back what localStorage has lost. To be called before anything is read. */
  async restore() {
    const database = await Promise.race([this.opening, late()]);
    if (!database) return;
    const copies = await Promise.race([all(database), late()]).catch(() => null);
    const { stamp } = this;
    const lost = (copies ?? []).filter((copy) => copy.stamp > stamp && copy.key.startsWith(this.prefix));
    try {
      for (const { key, value } of lost.sort((a, b) => a.stamp - b.stamp))
        if (value === null) this.store.removeItem(key);
        else this.store.setItem(key, value);
      if (lost.length) this.store.setItem(this.stampKey, String(lost.at(-1)?.stamp));
    } catch {
      // A store without room keeps what it has.
    }
  }
}

/** @param {() => IDBFactory | undefined} factory @returns {Promise<IDBDatabase | null>} null where there is none */
function opened(factory) {
  return new Promise((resolve) => {
    try {
      const asked = factory()?.open(NAME, 1);
      if (!asked) return resolve(null);
      asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE, { keyPath: "key" });
      asked.onsuccess = () => {
        // Another page wants to remove it: let it.
        asked.result.onversionchange = () => asked.result.close();
        resolve(asked.result);
      };
      asked.onerror = asked.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

/** @param {IDBDatabase} database @param {Copy[]} copies @returns {Promise<void>} */
function put(database, copies) {
  return new Promise((resolve, reject) => {
    // Not "relaxed", which is the default: the copy is there for a browser that is killed in the next moment.
    const transaction = database.transaction(TABLE, "readwrite", { durability: "strict" });
    for (const copy of copies) transaction.objectStore(TABLE).put(copy);
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {IDBDatabase} database @returns {Promise<Copy[]>} */
function all(database) {
  return new Promise((resolve, reject) => {
    const asked = database.transaction(TABLE).objectStore(TABLE).getAll();
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** @returns {Promise<null>} */
function late() {
  return new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
}
