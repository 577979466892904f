/**
 * The server's addresses, relative to the page's base, so that the page works behind any prefix.
 *
 * @import {Id} from "./types"
 */

/** The address of a game's socket. @param {Id} game */
export function socketUrl(game) {
  const url = new URL(`api/game/${encodeURIComponent(game)}/ws`, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The address of a game's page, without any token. @param {Id} game */
export function playUrl(game) {
  return new URL(`play/${encodeURIComponent(game)}`, document.baseURI).href;
}
