/**
 * What the browser remembers between visits: the player's name, the games it has joined, and their tokens.
 *
 * Keys begin with the page's own address, so that servers behind different prefixes of one origin do not mix.
 * A tab prefers the token that it was opened with, so that two tabs can play two players of one game.
 *
 * @import {Id, KeyValueStore} from "./types"
 */

/** @typedef {{id: Id, name: string, player: string, lastMs: number}} KnownGame */

/** A store that forgets with the page, for browsers that keep nothing. @returns {KeyValueStore} */
export function forgetful() {
  /** @type {Map<string, string>} */
  const held = new Map();
  return {
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
 * The browser's store, or one that forgets where the browser refuses it.
 * @param {"localStorage" | "sessionStorage"} name
 * @returns {KeyValueStore}
 */
function browserStore(name) {
  try {
    return globalThis[name] ?? forgetful();
  } catch {
    return forgetful();
  }
}

export class Store {
  /**
   * @param {string} address of the server, as the page sees it
   * @param {KeyValueStore} [local]
   * @param {KeyValueStore} [session]
   */
  constructor(address, local = browserStore("localStorage"), session = browserStore("sessionStorage")) {
    this.local = local;
    this.session = session;
    this.prefix = `gamekit:${new URL(address).pathname}:`;
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
    this.keep(this.local, `${this.prefix}name`, name);
  }

  /** The token to play a game with; empty when there is none. @param {Id} game */
  token(game) {
    return (
      this.session.getItem(`${this.gamePrefix(game)}token`) ?? this.local.getItem(`${this.gamePrefix(game)}token`) ?? ""
    );
  }

  /** Remember the token of a game, for this tab and for new ones. @param {Id} game @param {string} token */
  setToken(game, token) {
    this.keep(this.session, `${this.gamePrefix(game)}token`, token);
    this.keep(this.local, `${this.gamePrefix(game)}token`, token);
  }

  /** Forget a token that the server no longer takes. @param {Id} game */
  dropToken(game) {
    this.session.removeItem(`${this.gamePrefix(game)}token`);
    this.local.removeItem(`${this.gamePrefix(game)}token`);
  }

  /** The games that were played here, the latest first. @returns {KnownGame[]} */
  get games() {
    try {
      const games = JSON.parse(this.local.getItem(`${this.prefix}games`) ?? "[]");
      return Array.isArray(games) ? games : [];
    } catch {
      return [];
    }
  }

  /** Put a game on top of the list. @param {{id: Id, name: string, player: string}} game */
  remember({ id, name, player }) {
    const others = this.games.filter((game) => game.id !== id).slice(0, 29);
    this.keep(this.local, `${this.prefix}games`, JSON.stringify([{ id, name, player, lastMs: Date.now() }, ...others]));
  }

  /** Take a game off the list. @param {Id} id */
  forget(id) {
    this.dropToken(id);
    this.keep(this.local, `${this.prefix}games`, JSON.stringify(this.games.filter((game) => game.id !== id)));
  }

  /** @param {KeyValueStore} store @param {string} key @param {string} value */
  keep(store, key, value) {
    try {
      store.setItem(key, value);
    } catch {
      // A full store costs only the memory of this visit.
    }
  }
}
