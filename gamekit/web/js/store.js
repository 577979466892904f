/**
 * What the browser remembers between visits: the player's name, the games that were played here, and the seats in them.
 *
 * A seat is a player of a game with the token that plays it. A token counts as a seat only after the server has
 * accepted it; until then it is the tab's own, like that of a link. No seat ever takes the place of another player's.
 * Keys begin with the page's own address, so that servers behind different prefixes of one origin do not mix.
 *
 * @import {Id, KeyValueStore} from "./types"
 */

import { Vault } from "./vault.js";

/** @typedef {{id: Id, name: string}} KnownGame */
/** @typedef {{player: Id, name: string, token: string}} Seat name: the player's */

/** A store that forgets with the page, for browsers that keep nothing. @returns {KeyValueStore} */
export function forgetful() {
  /** @type {Map<string, string>} */
  const held = new Map();
  return {
    forgets: true,
    get length() {
      return held.size;
    },
    key: (index) => [...held.keys()][index] ?? null,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

/**
 * The browser's store, or one that forgets where the browser refuses it. It can begin to refuse, or be emptied, at any
 * time: reading then finds nothing, and writing throws.
 * @param {"localStorage" | "sessionStorage"} name
 * @returns {KeyValueStore}
 */
function browserStore(name) {
  try {
    const store = globalThis[name];
    return store ? guarded(store) : forgetful();
  } catch {
    return forgetful();
  }
}

/** A store that never fails in reading, and always where it does not keep. @param {KeyValueStore} store @returns {KeyValueStore} */
export function guarded(store) {
  /** @type {<T>(read: () => T, nothing: T) => T} */
  const reading = (read, nothing) => {
    try {
      return read();
    } catch {
      return nothing;
    }
  };
  return {
    get length() {
      return reading(() => store.length, 0);
    },
    key: (index) => reading(() => store.key(index), null),
    getItem: (key) => reading(() => store.getItem(key), null),
    setItem(key, value) {
      store.setItem(key, value);
      if (store.getItem(key) !== value) throw new Error("The browser does not keep what it was given.");
    },
    removeItem: (key) => reading(() => store.removeItem(key), undefined),
  };
}

export class Store {
  /**
   * @param {string} address of the server, as the page sees it
   * @param {KeyValueStore} [local]
   * @param {KeyValueStore} [session]
   */
  constructor(address, local = browserStore("localStorage"), session = browserStore("sessionStorage")) {
    this.prefix = `gamekit:${new URL(address).pathname}:`;
    const vault = local.forgets ? null : new Vault(local, this.prefix);
    /** Copies for a browser that is killed; null where nothing is kept anyway. */
    this.vault = vault;
    this.local = vault ? vault.copied() : local;
    this.session = session;
    /** What the page plays with, also where the browser has no room for it. @type {Map<Id, string>} */
    this.held = new Map();
  }

  /** Put back what a browser that was killed has lost; before anything is read. */
  async recover() {
    await this.vault?.restore();
  }

  /** The beginning of all keys of one game. @param {Id} game */
  gamePrefix(game) {
    return `${this.prefix}game:${game}:`;
  }

  /** The name that the user gave last. */
  get playerName() {
    return this.local.getItem(`${this.prefix}name`) ?? "";
  }

  /** @param {string} name */
  set playerName(name) {
    keep(this.local, `${this.prefix}name`, name);
  }

  /**
   * The token to play a game with: this tab's, else that of the first seat; empty when there is none.
   * @param {Id} game
   */
  token(game) {
    const own = this.held.get(game) ?? this.session.getItem(`${this.gamePrefix(game)}token`);
    return own ?? this.seats(game)[0]?.token ?? "";
  }

  /**
   * Play a game with a token in this tab.
   * @param {Id} game
   * @param {string} token which the server need not have seen yet
   * @returns {boolean} whether the tab still has it after a reload
   */
  setTabToken(game, token) {
    this.held.set(game, token);
    return keep(this.session, `${this.gamePrefix(game)}token`, token);
  }

  /** Let the tab play the first seat again. @param {Id} game */
  dropTabToken(game) {
    this.held.delete(game);
    this.session.removeItem(`${this.gamePrefix(game)}token`);
  }

  /** The seats in a game, the one to play without being told first. @param {Id} game @returns {Seat[]} */
  seats(game) {
    return readList(this.local, `${this.gamePrefix(game)}seats`);
  }

  /**
   * Remember a seat whose token the server has accepted.
   * @param {Id} game
   * @param {Seat} seat
   * @param {boolean} [first] whether the user chose it, so that it comes before the others
   * @returns {boolean} whether the browser keeps it
   */
  keepSeat(game, seat, first = false) {
    const seats = this.seats(game);
    const index = seats.findIndex(({ player }) => player === seat.player);
    if (index >= 0) seats.splice(index, 1);
    seats.splice(first ? 0 : index >= 0 ? index : seats.length, 0, seat);
    return keep(this.local, `${this.gamePrefix(game)}seats`, JSON.stringify(seats));
  }

  /** Whether the list of a game's seats is gone, and was not merely shortened. @param {Id} game */
  emptied(game) {
    return this.local.getItem(`${this.gamePrefix(game)}seats`) === null;
  }

  /** Make a player's seat the first; does nothing without such a seat. @param {Id} game @param {Id} player */
  chooseSeat(game, player) {
    const seat = this.seats(game).find((one) => one.player === player);
    if (seat) this.keepSeat(game, seat, true);
  }

  /** The games that were played here, the latest first. @returns {KnownGame[]} */
  get games() {
    return readList(this.local, `${this.prefix}games`);
  }

  /** Put a game on top of the list. @param {{id: Id, name: string}} game */
  remember({ id, name }) {
    const others = this.games.filter((game) => game.id !== id).slice(0, 29);
    keep(this.local, `${this.prefix}games`, JSON.stringify([{ id, name }, ...others]));
  }

  /** Forget a seat; a game without seats is not listed. @param {Id} id @param {Id} player */
  forget(id, player) {
    const seats = this.seats(id).filter((seat) => seat.player !== player);
    this.dropTabToken(id);
    keep(this.local, `${this.gamePrefix(id)}seats`, JSON.stringify(seats));
  }
}

/** @param {KeyValueStore} store @param {string} key @returns {any[]} */
function readList(store, key) {
  try {
    const list = JSON.parse(store.getItem(key) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** Store a value if it can be kept. @param {KeyValueStore} store @param {string} key @param {string} value */
function keep(store, key, value) {
  try {
    store.setItem(key, value);
    return !store.forgets;
  } catch {
    // A full store costs only the memory of this visit.
    return false;
  }
}
