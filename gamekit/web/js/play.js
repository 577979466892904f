/**
 * The play page: puts map, panel, connection and mirror together. What comes from the server goes into the mirror and
 * from there to map and panel; what the player wants goes into the connection's queue.
 *
 * @import {Body, Delta, Id, Notice, Order, Outcome, Snapshot, Welcome} from "./types"
 * @import {State} from "./connection.js"
 * @import {Entry} from "./queue.js"
 * @import {Store} from "./store.js"
 */

import { joinGame, playUrl, socketUrl } from "./api.js";
import { Connection } from "./connection.js";
import { byId, make, say } from "./dom.js";
import { PALETTE, paintGlyph } from "./glyphs.js";
import { Identities } from "./identity.js";
import { GalaxyMap } from "./map.js";
import { formatTime, Mirror, shipsOf } from "./model.js";
import { Panel } from "./panel.js";
import { CommandQueue } from "./queue.js";
import { forgetful } from "./store.js";
import { describeCommand, describePending, describeState } from "./words.js";

const CLOCK_EVERY_MS = 250;
const TOAST_MS = 5000;
const NARROW_PX = 720;

export class PlayPage {
  /** @param {Id} game @param {Store} store */
  constructor(game, store) {
    this.game = game;
    this.store = store;
    this.mirror = new Mirror();
    this.name = game;
    /** @type {Id | null} */
    this.player = null;
    this.tickHz = 10;
    this.speed = 1;
    this.paused = false;
    this.panelAsked = false;
    this.toastTimer = 0;
    this.map = new GalaxyMap(byId("map", HTMLElement), {
      onOrder: (order) => this.order(order),
      onSelect: (ship) => this.selected(ship),
    });
    this.panel = new Panel({
      select: (ship) => this.toggle(ship),
      command: (body) => this.command(body),
    });
  }

  /** Show the page and connect. */
  async start() {
    byId("play", HTMLElement).hidden = false;
    this.listen();
    this.drawLegend();
    const token = this.store.token(this.game);
    this.connection = await this.connect(token);
    this.connection.open();
    setInterval(() => this.passTime(), CLOCK_EVERY_MS);
    return this;
  }

  /** @param {string} token */
  async connect(token) {
    const { local: storage, session } = this.store;
    const identities = new Identities({
      prefix: this.store.gamePrefix(this.game),
      token,
      storage,
      session,
      locks: navigator.locks,
    });
    // A spectator commands nothing, so nothing of it is kept.
    const queue = token ? await identities.claim() : new CommandQueue(forgetful(), "", "", "");
    const connection = new Connection(
      {
        url: socketUrl(this.game),
        token,
        queue,
        ...(token && {
          adopt: () => identities.adopt(),
          leave: (/** @type {CommandQueue} */ left) => identities.leave(left),
        }),
      },
      {
        state: (state) => this.stateChanged(state),
        welcome: (message) => this.welcome(message),
        snapshot: (message) => this.snapshot(message),
        delta: (message) => this.delta(message),
        tick: (tick) => this.setClock(tick),
        notice: (message) => this.notice(message),
        outcome: (entry, outcome) => this.outcome(entry, outcome),
        error: (_code, message) => this.toast(message, "bad"),
        pending: () => this.pendingChanged(),
        latency: () => this.showLight(),
      },
    );
    addEventListener("pagehide", () => token && identities.note(connection.queue));
    // A page that was kept asleep would wake up with an id that another has taken since.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    addEventListener("online", () => connection.wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && connection.wake());
    return connection;
  }

  // From the server

  /** @param {Welcome} message */
  welcome(message) {
    this.player = message.player;
    this.tickHz = message.tick_hz;
    this.speed = message.speed;
    this.paused = message.paused;
    this.name = message.name;
    say(byId("game-name", HTMLElement), message.name);
    document.title = `${message.name} · gamekit`;
    this.map.setPlayer(message.player);
    this.setClock(message.tick);
    byId("enter", HTMLFormElement).hidden = message.player !== null;
    this.showPanelSoon();
  }

  /** @param {Snapshot} message */
  snapshot(message) {
    const first = !this.mirror.ready;
    this.mirror.snapshot(message);
    this.map.setView(this.mirror.view);
    this.setClock(message.tick);
    if (first) this.map.frameFirst(shipsOf(this.mirror.view, this.player)[0]);
    const mine = this.player === null ? undefined : this.mirror.view.players[this.player];
    if (mine) this.store.remember({ id: this.game, name: this.name, player: mine.name });
    this.pendingChanged();
    this.showPanelSoon();
  }

  /** @param {Delta} message */
  delta(message) {
    this.mirror.delta(message);
    this.map.changed(message.changes);
    this.setClock(message.tick);
    this.showPanelSoon();
  }

  /** @param {Notice} message */
  notice(message) {
    this.speed = message.speed ?? this.speed;
    this.paused = message.paused ?? this.paused;
    this.setClock(message.tick);
    if (message.message)
      this.toast(message.message, message.kind === "readonly" || message.kind === "overload" ? "bad" : "");
  }

  /** @param {number} tick */
  setClock(tick) {
    this.map.setClock({ tick, speed: this.speed, paused: this.paused, tickHz: this.tickHz });
  }

  /** @param {Entry} entry @param {Outcome} outcome */
  outcome(entry, outcome) {
    const what = describeCommand(this.mirror.view, entry.body);
    if (outcome.code) this.toast(`Refused: ${what}. ${outcome.message ?? outcome.code}`, "bad");
    else this.toast(what, "");
  }

  /** @param {State} state */
  stateChanged(state) {
    if (state.kind !== "live") this.map.holdClock();
    if (state.kind === "refused") {
      byId("enter", HTMLFormElement).hidden = false;
      say(byId("enter-text", HTMLElement), `${state.reason} You can join under a name.`);
    }
    this.showLight();
    this.pendingChanged();
  }

  // From the player

  /** @param {Order} order */
  order({ ship, to, append }) {
    this.command({ type: "move", ship, to, append: append || this.panel.append });
  }

  /** @param {Body} body */
  command(body) {
    this.connection?.command(body);
    if (this.connection?.queue.volatile)
      this.toast("This browser keeps nothing: do not reload before the order is sent.", "bad");
  }

  /** @param {Id} ship */
  toggle(ship) {
    this.map.select(ship === this.map.selected ? null : ship);
    if (this.map.selected) this.map.reveal(ship);
  }

  /** @param {Id | null} ship */
  selected(ship) {
    this.showPanel();
    if (ship) document.querySelector(`button[data-ship="${CSS.escape(ship)}"]`)?.scrollIntoView({ block: "nearest" });
  }

  /** Select the next own ship, or the one before. @param {number} step */
  cycle(step) {
    const own = shipsOf(this.mirror.view, this.player);
    if (!own.length) return;
    const index = own.indexOf(this.map.selected ?? "");
    const next = own[index < 0 ? (step > 0 ? 0 : own.length - 1) : (index + step + own.length) % own.length] ?? null;
    this.map.select(next);
    if (!next) return;
    this.map.reveal(next);
    /** @type {HTMLElement | null} */ (document.querySelector(`button[data-ship="${CSS.escape(next)}"]`))?.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing =
      event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "ArrowDown") this.cycle(1);
    else if (event.key === "ArrowUp") this.cycle(-1);
    else return this.map.key(event);
    event.preventDefault();
  }

  /** Join from the page of a game that is watched. */
  async enter() {
    const problem = byId("enter-problem", HTMLElement);
    const name = byId("enter-player", HTMLInputElement).value.trim();
    problem.hidden = true;
    try {
      const { token } = await joinGame(this.game, name);
      this.store.playerName = name;
      this.store.setToken(this.game, token);
      this.store.remember({ id: this.game, name: this.name, player: name });
      location.reload();
    } catch (error) {
      say(problem, error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
  }

  /** Copy the link for friends; it holds no token. */
  async share() {
    const link = playUrl(this.game);
    try {
      await navigator.clipboard.writeText(link);
      this.toast("Link copied. Whoever opens it can watch and join.", "");
    } catch {
      this.toast(`Send this link: ${link}`, "");
    }
  }

  /** Listen to the page's own controls. */
  listen() {
    const on = (/** @type {string} */ id, /** @type {() => void} */ act) =>
      byId(id, HTMLElement).addEventListener("click", act);
    on("zoom-in", () => this.map.zoomBy(1.5));
    on("zoom-out", () => this.map.zoomBy(1 / 1.5));
    on("zoom-all", () => this.map.frameAll());
    on("share", () => void this.share());
    on("retry", () => this.connection?.open());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => event.key === "Tab" && document.body.classList.add("tabbing"));
    document.addEventListener("pointerdown", () => document.body.classList.remove("tabbing"), { capture: true });
    byId("enter-player", HTMLInputElement).value = this.store.playerName;
    byId("enter", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.enter();
    });
    const panel = byId("panel", HTMLElement);
    new ResizeObserver(() => this.measure()).observe(panel);
    addEventListener("resize", () => this.measure());
    this.measure();
  }

  /** Tell the map what the bar and the panel cover. */
  measure() {
    const narrow = innerWidth < NARROW_PX;
    const panel = byId("panel", HTMLElement).getBoundingClientRect();
    const bar = document.querySelector(".bar")?.getBoundingClientRect();
    this.map.setInsets({
      left: 0,
      top: bar?.bottom ?? 0,
      right: narrow ? 0 : Math.max(0, innerWidth - panel.left),
      bottom: narrow ? Math.min(innerHeight / 2, Math.max(0, innerHeight - panel.top)) : 0,
    });
  }

  // What is shown

  /** Show the panel with the next frame, once for all that comes until then. */
  showPanelSoon() {
    if (this.panelAsked) return;
    this.panelAsked = true;
    requestAnimationFrame(() => {
      this.panelAsked = false;
      this.showPanel();
    });
  }

  /** Show the panel as it is now. */
  showPanel() {
    this.panel.update(this.mirror.view, this.player, this.map.selected);
    this.passTime();
  }

  /** The clock, the countdowns. */
  passTime() {
    if (!this.mirror.ready) return;
    const tick = this.map.clock.at(performance.now());
    say(byId("clock", HTMLElement), formatTime(tick, this.tickHz));
    say(byId("pace", HTMLElement), this.paused ? "paused" : this.speed === 1 ? "" : `×${this.speed}`);
    this.panel.passTime(tick, this.tickHz);
    if (this.connection?.state.kind === "offline") this.showLight();
  }

  /** The light, in words too. */
  showLight() {
    const { connection } = this;
    if (!connection) return;
    const light = byId("light", HTMLElement);
    light.dataset.state = connection.state.kind;
    say(byId("light-text", HTMLElement), describeState(connection.state, connection.latencyMs, connection.nextTryIn));
    byId("retry", HTMLButtonElement).hidden =
      connection.state.kind !== "refused" && connection.state.kind !== "offline";
  }

  /** How many orders wait, and where they want to go. */
  pendingChanged() {
    const { connection } = this;
    if (!connection) return;
    const waiting = connection.queue.waiting;
    const live = connection.state.kind === "live";
    const element = byId("pending", HTMLElement);
    element.hidden = waiting.length === 0;
    element.dataset.count = String(waiting.length);
    element.classList.toggle("brief", live);
    say(element, describePending(waiting.length, live));
    const moves = waiting
      .filter(({ body }) => body.type === "move")
      .map(({ body }) => /** @type {Order} */ (/** @type {unknown} */ (body)));
    this.map.setPending(moves);
  }

  /** One line about what has just happened; it goes by itself. @param {string} text @param {"" | "bad"} mood */
  toast(text, mood) {
    const toast = byId("toast", HTMLElement);
    clearTimeout(this.toastTimer);
    toast.textContent = text;
    toast.dataset.mood = mood;
    toast.classList.add("shown");
    this.toastTimer = window.setTimeout(() => toast.classList.remove("shown"), mood ? 2 * TOAST_MS : TOAST_MS);
  }

  /** The glyphs and colours, explained. */
  drawLegend() {
    const list = byId("legend", HTMLUListElement);
    const ratio = devicePixelRatio || 1;
    const drawn = (/** @type {string} */ kind, /** @type {string} */ colour, /** @type {string} */ text) => {
      const canvas = make("canvas");
      canvas.width = canvas.height = 22 * ratio;
      const ctx = canvas.getContext("2d");
      ctx?.scale(ratio, ratio);
      if (ctx) paintGlyph(ctx, kind, { x: 11, y: 11 }, 6.5, colour);
      list.append(make("li", {}, canvas, text));
    };
    for (const kind of ["mine", "plant", "refinery", "factory", "hub", "habitat"]) {
      drawn(kind, PALETTE.station, kind.charAt(0).toUpperCase() + kind.slice(1));
    }
    drawn("factory", PALETTE.warn, "Starved: lacks wares");
    drawn("factory", PALETTE.bad, "Clogged: full");
  }
}
