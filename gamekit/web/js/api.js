/**
 * The server's HTTP routes that the pages use; who only plays needs none of them.
 *
 * @import {Id} from "./types"
 */

/** A refusal by the server, in its own words. */
export class Refusal extends Error {
  /**
   * @param {number} status 0 when the server could not be reached
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {{id: Id, token: string, player: Id}} Admission
 * @typedef {{id: Id, name: string, tick: number, players: {id: Id, name: string}[], connections: number}} GameInfo
 */

/**
 * Make a game, and its first player.
 * @param {{scenario: string, seed?: number, name?: string, player_name: string, rules?: Record<string, number>}} asked
 * @returns {Promise<Admission>}
 */
export function createGame(asked) {
  return call("api/game/new", asked);
}

/**
 * Join a game.
 * @param {Id} game
 * @param {string} name the player's
 * @returns {Promise<Admission>}
 */
export function joinGame(game, name) {
  return call(`api/game/${encodeURIComponent(game)}/join`, { name });
}

/**
 * @typedef {object} ScenarioInfo
 * @property {string} name
 * @property {string} title
 * @property {string} sentence
 * @property {number} sectors when nobody says how many
 * @property {number} least_sectors
 * @property {number} most_sectors
 * @typedef {object} RuleInfo
 * @property {string} name
 * @property {number} default
 * @property {number} low
 * @property {number} high
 * @property {string} unit
 * @property {string} sentence
 */

/** Every scenario that a game can be made of, the usual one first. @returns {Promise<ScenarioInfo[]>} */
export async function scenarios() {
  return (await call("api/scenarios")).scenarios;
}

/** Every rule that a game can be made with, with the server's own defaults. @returns {Promise<RuleInfo[]>} */
export async function rules() {
  const { rules: rows, defaults } = await call("api/rules");
  return rows.map((/** @type {RuleInfo} */ row) => ({ ...row, default: defaults[row.name] ?? row.default }));
}

/** What everybody may know of a game. @param {Id} game @returns {Promise<GameInfo>} */
export function gameInfo(game) {
  return call(`api/game/${encodeURIComponent(game)}`);
}

/**
 * @param {string} path relative to the base
 * @param {object} [body] sent by POST when it is given
 * @returns {Promise<any>}
 */
async function call(path, body) {
  /** @type {RequestInit} */
  const request = body
    ? { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }
    : {};
  let answer;
  try {
    answer = await fetch(new URL(path, document.baseURI), request);
  } catch {
    throw new Refusal(0, "unreachable", "The server cannot be reached. Is it running?");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, value.code ?? "http_error", value.detail ?? answer.statusText);
  return value;
}
