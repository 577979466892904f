/**
 * The lobby: make a game, join one by link or code, go back to one's own.
 *
 * @import {Id} from "./types"
 * @import {Admission, RuleInfo, ScenarioInfo} from "./api.js"
 * @import {Seat, Store} from "./store.js"
 */

import { playUrl } from "./addresses.js";
import { createGame, gameInfo, joinGame, Refusal, rules, scenarios } from "./api.js";
import { byId, make, say } from "./dom.js";
import { formatTime } from "./model.js";

const TICK_HZ = 10;
/** The rules in the form that have choices in words. */
const RULES = ["company_percent", "storm_rate", "starting_credits", "ship_speed_mm_per_tick"];

/**
 * The game's id, and a token if there is one, in what somebody pasted.
 * @param {string} text a link to a game's page, or its bare code
 * @returns {{id: Id, token: string} | null}
 */
export function parseInvitation(text) {
  const link = /\/play\/([A-Za-z0-9_-]{1,64})\/?(?:\?[^#]*)?(?:#(.*))?$/.exec(text.trim());
  if (link?.[1]) return { id: link[1], token: new URLSearchParams(link[2] ?? "").get("token") ?? "" };
  const code = /^[A-Za-z0-9_-]{1,64}$/.exec(text.trim());
  return code ? { id: code[0], token: "" } : null;
}

/**
 * Bring in the lobby's elements and their look, which the pages of games do without.
 * @returns {Promise<void>}
 */
async function furnish() {
  const markup = await (await fetch(new URL("web/lobby.html", document.baseURI))).text();
  document.body.append(...new DOMParser().parseFromString(markup, "text/html").body.children);
  const look = make("link");
  look.rel = "stylesheet";
  look.href = "web/lobby.css";
  for (const end of ["load", "error"]) look.addEventListener(end, () => (byId("lobby", HTMLElement).hidden = false));
  document.head.append(look);
}

/** Show the lobby. @param {Store} store */
export async function startLobby(store) {
  await furnish();
  const problem = byId("lobby-problem", HTMLElement);
  const names = [byId("create-player", HTMLInputElement), byId("join-player", HTMLInputElement)];
  for (const input of names) input.value = store.playerName;

  const attempt = async (/** @type {HTMLFormElement} */ form, /** @type {() => Promise<void>} */ act) => {
    problem.hidden = true;
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      await act();
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };

  offerScenarios();
  byId("all-rules", HTMLDetailsElement).addEventListener("toggle", () => void offerRules());

  const create = byId("create", HTMLFormElement);
  create.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(create, () => createAndPlay(store));
  });
  const join = byId("join", HTMLFormElement);
  join.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(join, () => joinAndPlay(store));
  });
  byId("watch", HTMLButtonElement).addEventListener("click", () => {
    void attempt(join, async () => location.assign(playUrl(invitation().id)));
  });
  showGames(store);
}

/** What the chosen scenario is, and how many sectors it may have. @type {Map<string, ScenarioInfo>} */
const known = new Map();

/** Offer what the server has; until it has answered, what every server has. */
function offerScenarios() {
  const choice = byId("create-scenario", HTMLSelectElement);
  const sectors = byId("create-sectors", HTMLInputElement);
  const describe = () => {
    const info = known.get(choice.value);
    sectors.disabled = !info || info.least_sectors === info.most_sectors;
    say(byId("create-about", HTMLElement), info?.sentence ?? "");
    if (!info) return;
    Object.assign(sectors, { min: info.least_sectors, max: info.most_sectors, value: info.sectors });
  };
  choice.addEventListener("change", describe);
  void scenarios().then((all) => {
    const before = choice.value;
    for (const info of all) known.set(info.name, info);
    choice.replaceChildren(
      ...all.map(({ name, title }) => Object.assign(make("option", { text: title }), { value: name })),
    );
    choice.value = known.has(before) ? before : (all[0]?.name ?? "");
    describe();
  }, describe);
}

/** Every rule with its range and what it does, for those who want to set more than a few. */
async function offerRules() {
  const list = byId("rules-list", HTMLElement);
  if (list.children.length) return;
  const rows = (await rules()).filter(({ name }) => !RULES.includes(name) && name !== "version");
  if (list.children.length) return;
  list.replaceChildren(...rows.map(ruleField));
}

/** @param {RuleInfo} rule */
function ruleField({ name, default: usual, low, high, unit, sentence }) {
  const input = make("input", { testid: `rule-${name}` });
  Object.assign(input, { type: "number", name, min: low, max: high, step: 1, placeholder: usual.toLocaleString("en") });
  const help = make("span", { className: "help", text: sentence });
  help.id = `help-${name}`;
  input.setAttribute("aria-describedby", help.id);
  const words = name.replaceAll("_", " ").replace(/ (ticks|percent|permille|m|jumps|rate)$/, "");
  const label = make("label", {}, make("span", {}, capital(words), make("i", { text: unit })), input);
  return make("div", { className: "rule" }, label, help);
}

/** @param {string} word */
function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** @param {Store} store */
async function createAndPlay(store) {
  const player = byId("create-player", HTMLInputElement).value.trim();
  const seed = byId("create-seed", HTMLInputElement).value.trim();
  const name = byId("create-name", HTMLInputElement).value.trim();
  const scenario = byId("create-scenario", HTMLSelectElement).value;
  const sectors = byId("create-sectors", HTMLInputElement);
  if (seed && !Number.isSafeInteger(Number(seed)))
    throw new Error("A seed is a whole number from -9007199254740991 to 9007199254740991.");
  const chosen = chosenRules();
  const made = await createGame({
    scenario: sectors.disabled ? scenario : `${scenario}:${sectors.value}`,
    player_name: player,
    ...(name && { name }),
    ...(seed && { seed: Number(seed) }),
    ...(Object.keys(chosen).length && { rules: chosen }),
  });
  enter(store, made, name || "New game", player);
}

/** The rules that were chosen in the form; what was left alone is the server's to decide. */
function chosenRules() {
  /** @type {Record<string, number>} */
  const chosen = {};
  for (const name of RULES) {
    const { value } = byId(`rule-${name}`, HTMLSelectElement);
    if (value) chosen[name] = Number(value);
  }
  for (const input of byId("rules-list", HTMLElement).querySelectorAll("input"))
    if (input.value) chosen[input.name] = Number(input.value);
  return chosen;
}

/** @param {Store} store */
async function joinAndPlay(store) {
  const { id, token } = invitation();
  const player = byId("join-player", HTMLInputElement).value.trim();
  const info = await gameInfo(id);
  // A link's own token is for the game's page to try; nothing is remembered of it here.
  if (token) location.assign(`${playUrl(id)}#token=${encodeURIComponent(token)}`);
  else enter(store, await joinGame(id, player), info.name, player);
}

/** The invitation in the form. */
function invitation() {
  const found = parseInvitation(byId("join-link", HTMLInputElement).value);
  if (!found)
    throw new Refusal(0, "bad_link", "That is no link or code of a game. Ask for the link again and paste all of it.");
  return found;
}

/** @param {Store} store @param {Admission} admission @param {string} game its name @param {string} name the player's */
function enter(store, { id, token, player }, game, name) {
  store.playerName = name;
  store.keepSeat(id, { player, name, token }, true);
  store.remember({ id, name: game });
  // The token goes along for browsers that had no room to remember it.
  location.assign(`${playUrl(id)}#token=${encodeURIComponent(token)}`);
}

/** List the seats in the games that were played here, with what the server says of them. @param {Store} store */
function showGames(store) {
  const section = byId("games", HTMLElement);
  const list = byId("games-list", HTMLUListElement);
  for (const { id, name } of store.games) {
    const asked = gameInfo(id).then(
      ({ tick, players }) =>
        `${formatTime(tick, TICK_HZ)} · ${players.length} player${players.length === 1 ? "" : "s"}`,
      (refusal) => (refusal.status === 404 ? "gone" : "not reachable"),
    );
    for (const seat of store.seats(id)) {
      const row = seatRow(id, name, seat, asked, () => {
        store.forget(id, seat.player);
        row.remove();
        section.hidden = list.children.length === 0;
      });
      list.append(row);
    }
  }
  section.hidden = list.children.length === 0;
}

/**
 * @param {Id} id
 * @param {string} name the game's
 * @param {Seat} seat
 * @param {Promise<string>} asked what the server says of the game
 * @param {() => void} forget
 */
function seatRow(id, name, seat, asked, forget) {
  const state = make("span", { className: "state" });
  void asked.then((text) => say(state, text));
  const link = make(
    "a",
    { testid: `game-${id}` },
    make("span", { className: "name", text: name }),
    make("span", { className: "as", text: `as ${seat.name}` }),
    state,
  );
  link.href = `${playUrl(id)}#seat=${encodeURIComponent(seat.player)}`;
  const drop = make("button", { className: "cancel", text: "×", label: `Take ${name} as ${seat.name} off the list` });
  drop.addEventListener("click", forget);
  return make("li", {}, link, drop);
}
