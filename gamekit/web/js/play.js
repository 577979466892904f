/**
 * The play page: puts map, panel, connection and mirror together. What comes from the server goes into the mirror and
 * from there to map and panel; what the player wants goes into the connection's queue.
 *
 * @import {Body, Delta, Id, Notice, Order, Outcome, Snapshot, Welcome} from "./types"
 * @import {State} from "./connection.js"
 * @import {Entry} from "./queue.js"
 * @import {Store} from "./store.js"
 */

import { socketUrl } from "./addresses.js";
import { Connection } from "./connection.js";
import { byId, say } from "./dom.js";
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
    this.model = new Mirror();
    this.name = game;
    /** @type {Id | null} */
    this.player = null;
    this.token = "";
    /** Whom the map was framed for. @type {Id | null | undefined} */
    this.framedFor = undefined;
    /** @type {Connection | undefined} */
    this.connection = undefined;
    /** @type {Identities | undefined} */
    this.identities = undefined;
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
    await this.connect(this.store.token(this.game));
    setInterval(() => this.passTime(), CLOCK_EVERY_MS);
    return this;
  }

  /** Play with a token, or watch without one; what was connected before is let go. @param {string} token */
  async connect(token) {
    this.connection?.close();
    if (this.connection) this.identities?.leave(this.connection.queue);
    const { local: storage, session } = this.store;
    this.token = token;
    const identities = (this.identities = new Identities({
      prefix: this.store.gamePrefix(this.game),
      token,
      storage,
      session,
      locks: navigator.locks,
    }));
    // A spectator commands nothing, so nothing of it is kept.
    const queue = token ? await identities.claim() : new CommandQueue(forgetful(), "", "", "");
    this.connection = new Connection(
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
    this.connection.open();
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
    this.showPanelSoon();
  }

  /** @param {Snapshot} message */
  snapshot(message) {
    this.model.snapshot(message);
    this.map.setView(this.model.view);
    this.setClock(message.tick);
    const { game, player, token } = this;
    if (this.framedFor !== player) this.map.frameFirst(shipsOf(this.model.view, player)[0]);
    this.framedFor = player;
    const mine = player === null ? undefined : this.model.view.players[player];
    if (player !== null && mine) {
      this.store.setTabToken(game, token);
      this.store.keepSeat(game, { player, name: mine.name, token });
      this.store.remember({ id: game, name: this.name });
    }
    this.pendingChanged();
    this.showPanelSoon();
  }

  /** @param {Delta} message */
  delta(message) {
    this.model.delta(message);
    this.map.changed(message.changes);
    this.setClock(message.tick);
    this.showPanelSoon();
  }

  /** @param {Notice} message */
  notice(message) {
    this.speed = message.speed ?? this.speed;
    this.paused = message.paused ?? false;
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
    const what = describeCommand(this.model.view, entry.body);
    if (outcome.code) this.toast(`Refused: ${what}. ${outcome.message ?? outcome.code}`, "bad");
    else this.toast(what, "");
  }

  /** @param {State} state */
  stateChanged(state) {
    if (state.kind !== "live") this.map.holdClock();
    byId("entrance", HTMLElement).hidden ||= state.kind === "live";
    if (state.kind === "refused") void this.atEntrance(({ turnedAway }) => turnedAway(this, state));
    else if (state.kind === "live" && this.player === null) void this.atEntrance(({ welcomeWatcher }) => welcomeWatcher(this));
    this.showLight();
    this.pendingChanged();
  }

  /**
   * Bring in what only those need who do not play, or not yet.
   * @param {(entrance: typeof import("./entrance.js")) => void} act left out when the connection has changed meanwhile
   */
  async atEntrance(act) {
    const state = this.connection?.state;
    const entrance = await import("./entrance.js");
    if (this.connection?.state === state) act(entrance);
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
    const own = shipsOf(this.model.view, this.player);
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

  /** Listen to the page's own controls. */
  listen() {
    const on = (/** @type {string} */ id, /** @type {() => void} */ act) =>
      byId(id, HTMLElement).addEventListener("click", act);
    on("zoom-in", () => this.map.zoomBy(1.5));
    on("zoom-out", () => this.map.zoomBy(1 / 1.5));
    on("zoom-all", () => this.map.frameAll());
    on("share", async () => (await import("./share.js")).share(this));
    const legend = byId("legend", HTMLUListElement);
    const drawLegend = async () => (await import("./legend.js")).fillLegend(legend);
    legend.closest("details")?.addEventListener("toggle", () => legend.children.length || void drawLegend());
    // Whoever was refused starts anew: without the token that was dropped.
    on("retry", () => (this.connection?.state.kind === "refused" ? location.reload() : this.connection?.open()));
    addEventListener("pagehide", () => this.token && this.connection && this.identities?.note(this.connection.queue));
    // A page that was kept asleep would wake up with an id that another has taken since.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    const wake = () => this.connection?.wake();
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => event.key === "Tab" && document.body.classList.add("tabbing"));
    document.addEventListener("pointerdown", () => document.body.classList.remove("tabbing"), { capture: true });
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
    this.panel.update(this.model.view, this.player, this.map.selected);
    this.passTime();
  }

  /** The clock, the countdowns. */
  passTime() {
    if (!this.model.ready) return;
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
}
