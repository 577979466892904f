/**
 * The page's entry: the lobby at the server's root, a game at `play/<id>`. Takes out of the address which seat to play:
 * `#token=` from a link, for this tab, or `#seat=` from the lobby.
 */

import { bareAddress } from "./seat.js";
import { Store } from "./store.js";

/**
 * All that the game's page imports, to be fetched at once: found one after the other, module by module, they would take
 * five times there and back. A test holds this list against the modules.
 */
const MODULES =
  "addresses aiming annals bar camera connection controls dom dragsort fleet glyphs ground identity info labels " +
  "latest layout map market marks model orderbook orders overview paint painter paintlive parts places play pointers queue " +
  "rename seat selection servertime sizes stage tales targets tooltip trade tradeform traffic unreached vault words";

const store = new Store(document.baseURI);
const game = /\/play\/([A-Za-z0-9_-]{1,64})\/?$/.exec(location.pathname)?.[1];

if (game) {
  for (const name of MODULES.split(" ")) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = `web/js/${name}.js`;
    document.head.append(link);
  }
  await store.recover();
  const asked = new URLSearchParams(location.hash.slice(1));
  const [token, seat] = [asked.get("token"), asked.get("seat")];
  const [entry] = performance.getEntriesByType("navigation");
  // Over a reload a tab keeps the player it had; whoever comes anew by the bare address means their own seat.
  const anew = /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.type === "navigate";
  if (seat) store.chooseSeat(game, seat);
  if (!token && (seat || anew) && store.seats(game).length) store.dropTabToken(game);
  // A token stays in the address until the server has accepted it and the browser keeps it; see `seat.js`.
  if (token) store.setTabToken(game, token);
  else if (seat) bareAddress();
  // A link that is opened over the same game changes only what is behind the #.
  addEventListener("hashchange", () => location.reload());
  const { PlayPage } = await import("./play.js");
  const page = await new PlayPage(game, store).start();
  // For tests, and for the curious with a console.
  Object.assign(globalThis, { gamekit: page });
} else {
  await store.recover();
  const { startLobby } = await import("./lobby.js");
  await startLobby(store);
}
