/**
 * The page's entry: the lobby at the server's root, a game at `play/<id>`. Keeps the token out of the address bar.
 */

import { Store } from "./store.js";

const store = new Store(document.baseURI);
const game = /\/play\/([A-Za-z0-9_-]{1,64})\/?$/.exec(location.pathname)?.[1];

if (game) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    store.setToken(game, token);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const { PlayPage } = await import("./play.js");
  const { map, mirror, connection } = await new PlayPage(game, store).start();
  // For tests, and for the curious with a console.
  Object.assign(globalThis, { gamekit: { map, model: mirror, connection } });
} else {
  const { startLobby } = await import("./lobby.js");
  startLobby(store);
}
