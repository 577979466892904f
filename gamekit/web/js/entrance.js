/**
 * The way in for those who do not play: a form to join the game that is watched, the stored seat where a link was
 * wrong, the way to the lobby where there is no game. Loaded when it is needed; most visits are those of players.
 *
 * @import {PlayPage} from "./play.js"
 */

import { joinGame } from "./api.js";
import { byId, make } from "./dom.js";
import { addressWith, bareAddress } from "./seat.js";

/** Offer to join the game that is watched. @param {PlayPage} page */
export function welcomeWatcher(page) {
  fill("You are watching. Join to fly a ship of your own.", page);
}

/**
 * The server wants no more of the page: a token that is not valid is dropped, and the stored seat played if there is
 * one; else say what can be done.
 * @param {PlayPage} page
 * @param {{code: string, reason: string}} refusal
 */
export async function turnedAway(page, { code, reason }) {
  const { game, store, token } = page;
  if (code === "no_such_game") return fill(reason, null);
  if (code === "bad_token") {
    store.dropTabToken(game);
    bareAddress();
  }
  const seat = store.seats(game)[0];
  if (code !== "bad_token" || !seat || seat.token === token) return fill(`${reason} You can join under a name.`, page);
  await page.connect(seat.token);
  page.toast(`The token of that link is not valid for this game. You play on as ${seat.name}.`, "bad");
}

/**
 * Fill the place of the way in; what is being typed there stays while the text is the same.
 * @param {string} text what is the matter
 * @param {PlayPage | null} page of the game to join; null when there is none
 */
function fill(text, page) {
  const element = byId("entrance", HTMLElement);
  element.hidden = false;
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  const said = make("p", { text });
  if (page) return element.replaceChildren(joinForm(said, page));
  const way = make("a", { className: "button", text: "To the lobby", testid: "to-lobby" });
  way.href = document.baseURI;
  element.replaceChildren(make("div", { className: "enter" }, said, way));
}

/** @param {HTMLElement} said @param {PlayPage} page */
function joinForm(said, page) {
  const input = make("input", { testid: "enter-player" });
  Object.assign(input, { required: true, maxLength: 40, value: page.store.playerName });
  const problem = make("p", { className: "problem" });
  problem.setAttribute("role", "alert");
  problem.hidden = true;
  const button = make("button", { className: "primary", text: "Join", testid: "enter-join" });
  const label = make("label", {}, "Your name", input);
  const form = make("form", { className: "enter", testid: "enter" }, said, label, problem, button);
  form.autocomplete = "off";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    try {
      await join(page, input.value.trim());
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

/** @param {PlayPage} page @param {string} name */
async function join(page, name) {
  const { game, store } = page;
  const { player, token } = await joinGame(game, name);
  store.playerName = name;
  store.keepSeat(game, { player, name, token }, true);
  store.setTabToken(game, token);
  // Until the page has seen that the browser keeps the seat.
  addressWith(token);
  await page.connect(token);
}
