/**
 * The bar above the map and the banner below it: clock, light, toast, and what is the matter with the session as long as
 * it lasts.
 *
 * @import {Notice} from "./types"
 * @import {Connection} from "./connection.js"
 */

import { byId, say } from "./dom.js";
import { formatTime } from "./model.js";
import { describePending, describeState } from "./words.js";
import { showPending } from "./latest.js";

const TOAST_MS = 5000;
/** Lateness of ticks that is worth a colour, in milliseconds. */
const LATE_MS = 100;

/** Notices that begin something that lasts, and those that end it. @type {Record<string, string>} */
const LASTING = {
  paused: "paused",
  resumed: "paused",
  overload: "overload",
  overload_over: "overload",
  drain: "drain",
  readonly: "readonly",
  late: "late",
  late_over: "late",
};
const ENDING = new Set(["resumed", "overload_over", "late_over"]);

export class Bar {
  constructor() {
    this.toastTimer = 0;
    this.toastMs = 0;
    /** What lasts, with its sentence. @type {Map<string, string>} */
    this.lasting = new Map();
  }

  /** Say something for as long as it lasts. @param {string} what @param {string} sentence empty when it is over */
  last(what, sentence) {
    if (sentence) this.lasting.set(what, sentence);
    else this.lasting.delete(what);
    this.showBanner();
  }

  /** The connection is there, with nothing the matter but what it says itself. @param {boolean} paused */
  welcome(paused) {
    const storage = this.lasting.get("storage");
    this.lasting.clear();
    if (storage) this.lasting.set("storage", storage);
    if (paused) this.lasting.set("paused", "The game is paused.");
    this.showBanner();
  }

  /** @param {Notice} message @returns {boolean} whether it is shown for as long as it lasts */
  notice({ kind, message, paused }) {
    const what = LASTING[kind];
    // Whoever comes or goes on otherwise, a game that runs is not paused.
    if (paused === false) this.lasting.delete("paused");
    if (what && ENDING.has(kind)) this.lasting.delete(what);
    else if (what) this.lasting.set(what, message || `The game is ${what}.`);
    this.showBanner();
    return what !== undefined && !ENDING.has(kind);
  }

  showBanner() {
    const banner = byId("banner", HTMLElement);
    const kinds = ["unreached", "readonly", "drain", "late", "overload", "storage", "paused"];
    const worst = kinds.find((kind) => this.lasting.has(kind)) ?? "";
    banner.hidden = !worst;
    banner.dataset.kind = worst;
    say(banner, this.lasting.get(worst) ?? "");
  }

  /** @param {number} tick @param {number} tickHz @param {number} speed @param {boolean} paused */
  showClock(tick, tickHz, speed, paused) {
    say(byId("clock", HTMLElement), formatTime(tick, tickHz));
    say(byId("pace", HTMLElement), paused ? "paused" : speed === 1 ? "" : `×${Number(speed.toFixed(2))}`);
  }

  /** The light, in words too. @param {Connection} connection */
  showLight({ state, latencyMs, latenessMs, nextTryIn, receiving }) {
    const light = byId("light", HTMLElement);
    light.dataset.state = state.kind;
    light.dataset.late = state.kind === "live" && latenessMs > LATE_MS ? "yes" : "";
    light.dataset.receiving = receiving === null ? "" : "yes";
    const text = describeState(state, latencyMs, nextTryIn, latenessMs, receiving);
    say(byId("light-text", HTMLElement), text);
    if (light.title !== text) light.title = text;
    byId("retry", HTMLButtonElement).hidden = state.kind !== "refused" && state.kind !== "offline";
  }

  /** How many orders wait. @param {number} count @param {boolean} live */
  showPending(count, live) {
    showPending(count, live, describePending(count, live));
  }

  /** One line about what has just happened; it goes by itself. @param {string} text @param {"" | "bad"} mood */
  toast(text, mood) {
    const toast = byId("toast", HTMLElement);
    // What went wrong is not pushed away by what went well at the same time; that is in the lists.
    const bad = toast.classList.contains("shown") && toast.dataset.mood === "bad";
    if (!mood && bad && performance.now() - this.toastMs < TOAST_MS / 2) return;
    this.toastMs = performance.now();
    clearTimeout(this.toastTimer);
    toast.textContent = text;
    toast.title = text;
    toast.dataset.mood = mood;
    toast.classList.add("shown");
    this.toastTimer = window.setTimeout(() => toast.classList.remove("shown"), mood ? 2 * TOAST_MS : TOAST_MS);
  }
}
