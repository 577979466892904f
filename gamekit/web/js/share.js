/**
 * The link for friends.
 *
 * @import {PlayPage} from "./play.js"
 */

import { playUrl } from "./addresses.js";

/** Copy the link for friends; it holds no token. @param {PlayPage} page */
export async function share(page) {
  const link = playUrl(page.game);
  try {
    await navigator.clipboard.writeText(link);
    page.toast("Link copied. Whoever opens it can watch and join.", "");
  } catch {
    page.toast(`Send this link: ${link}`, "");
  }
}
