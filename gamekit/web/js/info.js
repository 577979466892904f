/**
 * The second panel: station, market, ledger, log, players; one at a time, each loaded when it is first wanted. On a small
 * screen it takes the fleet's place, and the fleet has a tab as well.
 *
 * @import {Id} from "./types"
 * @import {PlayPage} from "./play.js"
 */

import { byId, make, say } from "./dom.js";

/** @typedef {{update: () => void}} Panel draws the page's state as it is now */
/** @typedef {(body: HTMLElement, page: PlayPage) => Panel} MakePanel */

/** @type {Record<string, {title: string, load: () => Promise<MakePanel>}>} */
const PANELS = {
  station: { title: "Station", load: async () => (await import("./panel-station.js")).stationPanel },
  market: { title: "Market", load: async () => (await import("./panel-market.js")).marketPanel },
  ledger: { title: "Ledger", load: async () => (await import("./panel-ledger.js")).ledgerPanel },
  log: { title: "Log", load: async () => (await import("./panel-log.js")).logPanel },
  players: { title: "Players", load: async () => (await import("./panel-players.js")).playersPanel },
};
/** @type {Promise<void> | null} */
let look = null;

/** Bring in the panels' look, once. @returns {Promise<void>} */
function dress() {
  look ??= new Promise((resolve) => {
    const link = make("link");
    link.rel = "stylesheet";
    link.href = "web/info.css";
    for (const end of ["load", "error"]) link.addEventListener(end, () => resolve());
    document.head.append(link);
  });
  return look;
}

/** How often an open panel is drawn at most, in milliseconds. */
const EVERY_MS = 400;

export class Info {
  /** @param {PlayPage} page */
  constructor(page) {
    this.page = page;
    this.element = byId("info", HTMLElement);
    this.body = byId("info-body", HTMLElement);
    /** Which one is open; empty when none is. */
    this.name = "";
    /** The station that is looked at. @type {Id | null} */
    this.station = null;
    /** @type {Panel | null} */
    this.panel = null;
    this.drawnMs = -Infinity;
    this.timer = 0;
    this.buttons = new Map(
      [["", "Fleet"], ...Object.entries(PANELS).map(([name, { title }]) => [name, title])].map(
        ([name = "", title = ""]) => {
          const button = make("button", { text: title, testid: `tab-${name || "fleet"}` });
          button.addEventListener("click", () => this.toggle(name));
          return [name, button];
        },
      ),
    );
    byId("tabs", HTMLElement).append(...this.buttons.values());
    byId("info-close", HTMLButtonElement).addEventListener("click", () => {
      const { name } = this;
      this.close();
      this.buttons.get(name)?.focus();
    });
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.mark();
  }

  /** A tab was chosen: the open one closes. @param {string} name */
  toggle(name) {
    if (name && name !== this.name) void this.open(name);
    else if (this.name) this.close();
    else if (!name) byId("fold", HTMLButtonElement).click();
  }

  /** @param {string} name */
  async open(name) {
    this.name = name;
    this.mark();
    const wanted = PANELS[name];
    if (!wanted) return;
    const [makePanel] = await Promise.all([wanted.load(), dress()]);
    if (this.name !== name) return;
    say(byId("info-title", HTMLElement), wanted.title);
    this.body.replaceChildren();
    this.body.scrollTop = 0;
    this.panel = makePanel(this.body, this.page);
    this.element.hidden = false;
    this.draw();
    this.page.measure();
  }

  /** Show nothing here. */
  close() {
    this.name = "";
    this.panel = null;
    this.element.hidden = true;
    this.body.replaceChildren();
    this.mark();
    this.page.measure();
  }

  /** Say by which tab something is open. */
  mark() {
    byId("play", HTMLElement).dataset.tab = this.name;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === this.name));
  }

  /**
   * Look at a station, and open its panel if nothing more important is in the way.
   * @param {Id} station
   * @param {boolean} [open]
   */
  look(station, open = true) {
    this.station = station;
    if (open && this.name !== "station") void this.open("station");
    else this.draw();
  }

  /** Draw the open panel soon; not more often than can be read. */
  update() {
    if (!this.panel || this.timer) return;
    const wait = this.drawnMs + EVERY_MS - performance.now();
    if (wait <= 0) this.draw();
    else
      this.timer = window.setTimeout(() => {
        this.timer = 0;
        this.draw();
      }, wait);
  }

  draw() {
    this.drawnMs = performance.now();
    if (this.page.model.ready) this.panel?.update();
  }
}
