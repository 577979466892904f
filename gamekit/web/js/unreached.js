/**
 * Why no socket comes about. A browser shows a page neither status nor words of a refused handshake, so the same is asked
 * over HTTP, where the server's words can be read.
 *
 * @import {Id} from "./types"
 */

const NO_SOCKETS =
  "Sockets do not get through to the server: the proxy in front must speak HTTP/1.1 to it and pass Upgrade and Connection on.";
const NOTHING_COMES =
  "Sockets open, but nothing comes through them: a proxy on the way holds messages back, or the server is stuck.";

/** How long an answer may take. */
const PATIENCE_MS = 8000;

/**
 * The reason, in a sentence; empty when there is none but that the server cannot be reached.
 * @param {Id} game
 * @param {boolean} opened whether the socket did open, and was silent
 * @returns {Promise<string>}
 */
export async function whyUnreached(game, opened) {
  // Without any network nothing is to be asked.
  if (navigator.onLine === false) return "";
  const path = `api/game/${encodeURIComponent(game)}`;
  // By POST, because a browser tells its origin with no GET. It commands nothing: it has no token.
  const commanded = await ask(`${path}/commands`, { method: "POST", body: "{}" });
  if (!commanded) return "";
  // The server has judged the origin before it missed the token.
  if (commanded.code !== "token_needed" && commanded.code !== "bad_request") return commanded.sentence;
  if (opened) return NOTHING_COMES;
  const socket = await ask(`${path}/ws`);
  if (!socket) return "";
  return socket.code === "bad_request" || !socket.code ? NO_SOCKETS : socket.sentence;
}

/**
 * @param {string} path relative to the base
 * @param {RequestInit} [request]
 * @returns {Promise<{code: string, sentence: string} | null>} null when nothing answers
 */
async function ask(path, request) {
  let answer;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    answer = await fetch(new URL(path, document.baseURI), { signal, cache: "no-store", ...request });
  } catch {
    return null;
  }
  const { code, detail } = await answer.json().catch(() => ({}));
  const sentence = detail ?? `What answers instead of the server says ${answer.status} ${answer.statusText}.`;
  return { code: code ?? "", sentence };
}
