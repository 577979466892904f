/**
 * The seat that a page plays, and whether it outlives the page: where the browser keeps nothing, the token stays in the
 * address and the page says so before anybody leaves it. What is kept is written anew when the store was emptied.
 *
 * @import {PlayPage} from "./play.js"
 */

/** What is said where the browser keeps nothing. */
export const KEEPS_NOTHING =
  "This browser keeps nothing for this page: its address is your seat, so keep that; and stay while orders wait.";

/** Take what is behind the # out of the address. */
export function bareAddress() {
  history.replaceState(null, "", location.pathname + location.search);
}

/** Put the token into the address, from where a reload takes it. @param {string} token */
export function addressWith(token) {
  history.replaceState(null, "", `${location.pathname}${location.search}#token=${encodeURIComponent(token)}`);
}

/** The server has accepted the page's token: keep the seat, in the address if nowhere else. @param {PlayPage} page */
export function keepSeat(page) {
  const { game, store, player, token } = page;
  const mine = player === null ? undefined : page.model.view.players[player];
  if (player === null || !mine) return;
  const tab = store.setTabToken(game, token);
  const kept = store.keepSeat(game, { player, name: mine.name, token }) && tab;
  store.remember({ id: game, name: page.name });
  page.bar.last("storage", kept ? "" : KEEPS_NOTHING);
  if (!kept) addressWith(token);
  else if (location.hash.includes("token="))
    void (store.vault?.written ?? Promise.resolve()).then(() => page.token === token && bareAddress());
}

/** Write down again what a store that was emptied does not have any more. @param {PlayPage} page */
export function keepAgain(page) {
  const { connection, game, store, token } = page;
  if (!connection || !token || page.player === null) return;
  if (connection.queue.entries.length) connection.queue.save();
  store.setTabToken(game, token);
  if (store.emptied(game)) keepSeat(page);
}

/** Listen to what could lose the seat, or orders. @param {PlayPage} page */
export function watchSeat(page) {
  addEventListener("storage", () => keepAgain(page));
  addEventListener("pagehide", () => keepAgain(page));
  document.addEventListener("visibilitychange", () => keepAgain(page));
}

/** Asks before the page is left, where that would lose orders. @param {BeforeUnloadEvent} event */
const ask = (event) => event.preventDefault();

/** Have the browser ask before the page is left with orders that only it holds. @param {boolean} losing */
export function guardLeaving(losing) {
  // Only while there is something to lose: a page with such a listener is not kept for the way back.
  if (losing) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}
