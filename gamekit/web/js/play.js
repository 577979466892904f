/**
 * The play page: puts map, panels, connection and mirror together. What comes from the server goes into the mirror and the
 * annals, and from there to map and panels; what the player wants goes into the connection's queue.
 *
 * @import {Body, Delta, Destination, Id, Notice, Order, Outcome, Snapshot, Target, Welcome} from "./types"
 * @import {LogRow} from "./annals.js"
 * @import {State} from "./connection.js"
 * @import {Entry} from "./queue.js"
 * @import {Store} from "./store.js"
 */

import { socketUrl } from "./addresses.js";
import { Annals } from "./annals.js";
import { Bar } from "./bar.js";
import { Connection } from "./connection.js";
import { listen, measure, narrow } from "./controls.js";
import { byId, say } from "./dom.js";
import { Fleet } from "./fleet.js";
import { Identities } from "./identity.js";
import { Info } from "./info.js";
import { GalaxyMap } from "./map.js";
import { Mirror, shipsOf } from "./model.js";
import { OrderBook } from "./orderbook.js";
import { CommandQueue } from "./queue.js";
import { guardLeaving, keepSeat } from "./seat.js";
import { ServerTime } from "./servertime.js";
import { forgetful } from "./store.js";
import { rulesOf } from "./trade.js";
import { whyUnreached } from "./unreached.js";
import { describeCommand } from "./words.js";

const CLOCK_EVERY_MS = 250;
/** How often purse and prices are written down, in milliseconds. */
const SAMPLE_EVERY_MS = 1000;

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
    /** For how long the server will be silent, in seconds. */
    this.quietS = 0;
    this.speed = 1;
    this.paused = false;
    /** The rules as the welcome told them. @type {Record<string, unknown>} */
    this.welcomed = {};
    this.panelAsked = false;
    /** The first line of what the present delta made of orders. @type {LogRow | undefined} */
    this.cameOf = undefined;
    this.sampledMs = -Infinity;
    this.time = new ServerTime();
    this.annals = new Annals();
    this.book = new OrderBook();
    this.bar = new Bar();
    this.map = new GalaxyMap(byId("map", HTMLElement), {
      onOrder: (order) => this.order(order),
      onSelect: (ship) => this.selected(ship),
      onLook: (target) => this.looked(target),
    });
    this.fleet = new Fleet({
      select: (ship, more) => this.toggle(ship, more),
      selectAll: (ships) => this.map.selection.set(ships),
      command: (body) => this.command(body),
      dismiss: (rows) => {
        this.book.dismiss(rows);
        this.showPanel();
      },
      again: (rows) => {
        for (const body of this.book.dismiss(rows)) this.command(body);
        this.showPanel();
      },
    });
    this.info = new Info(this);
  }

  /** Show the page and connect. */
  async start() {
    byId("play", HTMLElement).hidden = false;
    listen(this);
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
        why: (opened) => whyUnreached(this.game, opened),
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
        pong: (tick, sentMs) => this.clockIs(this.time.answered(tick, sentMs, performance.now())),
        quiet: (nextS) => (this.quietS = nextS),
        notice: (message) => this.notice(message),
        outcome: (entry, outcome) => this.outcome(entry, outcome),
        putOff: (code, message) =>
          code !== "too_many_pending" && this.toast(`Not taken yet, and sent again by itself. ${message}`, "bad"),
        error: (_code, message) => this.toast(message, "bad"),
        unreached: (sentence) => this.bar.last("unreached", sentence),
        pending: () => this.pendingChanged(),
        latency: () => this.connection && this.bar.showLight(this.connection),
        receiving: () => this.connection && this.bar.showLight(this.connection),
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
    this.welcomed = message.rules ?? {};
    this.time.forget();
    this.bar.welcome(message.paused);
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
    if (this.connection) this.bar.showLight(this.connection);
    this.map.setView(this.model.view);
    this.setClock(message.tick);
    if (this.framedFor !== this.player) this.map.frameFirst(shipsOf(this.model.view, this.player)[0]);
    this.framedFor = this.player;
    keepSeat(this);
    this.pendingChanged();
    this.showPanelSoon();
  }

  /** @param {Delta} message */
  delta(message) {
    // What a trade asked for is in the queue before the delta, or in the orders that it answers.
    const asked = this.askedUnits(message);
    this.model.delta(message);
    this.map.changed(message.changes);
    this.setClock(message.tick);
    const told = this.annals.delta(this.model.view, this.player, message, asked);
    // The orders whose ends this delta tells are heard of next; what came of them is read after them.
    this.cameOf = told.find(({ tick }) => tick >= message.tick);
    queueMicrotask(() => (this.cameOf = undefined));
    const bad = told.filter(({ kind }) => kind === "bad").at(-1);
    if (bad && !bad.text.includes(" gate from ")) this.toast(bad.text, "bad");
    this.showPanelSoon();
  }

  /** @param {Notice} message */
  notice(message) {
    // Before the welcome: the game is on its way, and there is no clock yet.
    if (message.kind === "waking") return this.toast(message.message, "");
    this.speed = message.speed ?? this.speed;
    this.paused = message.paused ?? false;
    this.setClock(message.tick);
    const lasting = this.bar.notice(message);
    if (!message.message) return;
    this.annals.note(message.tick, message.message, lasting && message.kind !== "paused" ? "bad" : "");
    if (!lasting) this.toast(message.message, "");
    this.showPanelSoon();
  }

  /** A message has just told the server's tick. @param {number} tick */
  setClock(tick) {
    this.time.pace(this.paused ? 0 : this.speed * this.tickHz);
    this.clockIs(this.time.heard(tick, performance.now()));
  }

  /** The server's clock shows `tick` now. @param {number} tick with a fraction */
  clockIs(tick) {
    const { speed, paused, tickHz, quietS } = this;
    this.map.setClock({ tick, speed, paused, tickHz, quietS });
  }

  /** How many units the trades that a delta ends were to move, by "ship:order". @param {Delta} message */
  askedUnits(message) {
    /** @type {Map<string, number>} */
    const asked = new Map();
    const queue = this.connection?.queue;
    const { view } = this.model;
    /** @type {Map<unknown, unknown>} */
    const accepted = new Map();
    for (const event of message.events) {
      for (const entry of event.type === "EntryDone" ? (view.ships[String(event.ship)]?.queue ?? []) : [])
        if (entry.units !== undefined) asked.set(`${event.ship}:${entry.order}`, entry.units);
      if (event.type === "OrderAccepted") accepted.set(event.ship, event.order);
      if (event.type !== "CommandDone" || event.client !== queue?.client) continue;
      const body = queue?.entries.find(({ cid }) => cid === event.cid)?.body;
      if (typeof body?.units === "number") asked.set(`${body.ship}:${accepted.get(body.ship)}`, body.units);
    }
    return asked;
  }

  /** @param {Entry} entry @param {Outcome} outcome */
  outcome(entry, outcome) {
    const what = describeCommand(this.model.view, entry.body);
    this.book.end(entry, outcome, performance.now());
    const refused = `Refused: ${what}. ${outcome.message ?? outcome.code}`;
    if (outcome.code) this.annals.note(this.model.tick, refused, "bad");
    else this.annals.note(this.model.tick, `Ordered: ${what}`, "", this.cameOf);
    this.toast(outcome.code ? refused : what, outcome.code ? "bad" : "");
    // The sequence that the page shows already is not the one that holds.
    if (outcome.code && entry.body.type === "reorder") this.fleet.orders.redraw();
    this.showPanelSoon();
  }

  /** @param {State} state */
  stateChanged(state) {
    if (state.kind !== "live") {
      this.map.holdClock();
      this.time.forget();
      this.quietS = 0;
    }
    byId("entrance", HTMLElement).hidden ||= state.kind === "live";
    if (state.kind === "refused") void this.atEntrance(({ turnedAway }) => turnedAway(this, state));
    else if (state.kind === "live" && this.player === null)
      void this.atEntrance(({ welcomeWatcher }) => welcomeWatcher(this));
    if (this.connection) this.bar.showLight(this.connection);
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
    this.command({ type: "move", ship, to, append: append || this.fleet.append });
  }

  /** @param {Body} body */
  command(body) {
    this.connection?.command(body);
    // In sight at once, and not only with the next frame.
    this.fleet.latest.update(this.model.view, this.book);
    if (this.connection?.queue.volatile && this.connection.state.kind !== "live")
      this.toast("This browser keeps nothing: do not reload before the order is sent.", "bad");
  }

  /** Send all selected ships somewhere. @param {Destination} to */
  sendTo(to) {
    for (const ship of this.map.commanded) this.order({ ship, to, append: false });
  }

  /** @param {Id} ship @param {boolean} more besides those that are selected */
  toggle(ship, more) {
    const { selection } = this.map;
    if (more) selection.toggle(ship);
    else selection.set(selection.size === 1 && selection.has(ship) ? [] : [ship]);
    if (selection.has(ship)) this.map.reveal(ship);
  }

  /** @param {Id | null} ship */
  selected(ship) {
    // On a small screen the orders of a ship take the place of what was read.
    if (ship && narrow() && this.info.name) this.info.close();
    this.showPanel();
    if (ship) document.querySelector(`button[data-ship="${CSS.escape(ship)}"]`)?.scrollIntoView({ block: "nearest" });
  }

  /** Something on the map was clicked; a station is looked at, if the click is no order. @param {Target} target */
  looked(target) {
    if (target.type === "station") this.info.look(target.id, !this.map.commands);
  }

  /** Look at a station, here and on the map. @param {Id | null} station */
  showStation(station) {
    const sector = station && this.model.view.stations[station]?.sector;
    if (!station || !sector) return;
    this.info.look(station);
    this.map.frameSectors([sector]);
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

  /** Show the panels as they are now. */
  showPanel() {
    const { view } = this.model;
    const rules = rulesOf(view, this.welcomed);
    this.fleet.update({ view, player: this.player, selection: this.map.selection.ids, rules, book: this.book });
    this.info.update();
    this.passTime();
  }

  /** The clock, the countdowns. */
  passTime() {
    if (!this.model.ready) return;
    const now = performance.now();
    const tick = this.map.clock.at(now);
    this.bar.showClock(tick, this.tickHz, this.speed, this.paused);
    this.fleet.passTime(tick, this.tickHz);
    if (this.connection?.state.kind === "offline") this.bar.showLight(this.connection);
    if (now - this.sampledMs < SAMPLE_EVERY_MS) return;
    this.sampledMs = now;
    this.annals.sample(this.model.view, this.player, this.model.tick);
  }

  /** Tell the map what is covered. */
  measure() {
    measure(this);
  }

  /** How many orders wait, and where they want to go. */
  pendingChanged() {
    const { connection } = this;
    if (!connection) return;
    this.book.follow(connection.queue);
    const waiting = connection.queue.waiting;
    guardLeaving(connection.queue.volatile && waiting.length > 0);
    this.bar.showPending(waiting.length, connection.state.kind === "live");
    const moves = waiting
      .filter(({ body }) => body.type === "move")
      .map(({ body }) => /** @type {Order} */ (/** @type {unknown} */ (body)));
    this.map.setPending(moves);
    if (this.model.ready) this.showPanelSoon();
  }

  /** One line about what has just happened; it goes by itself. @param {string} text @param {"" | "bad"} mood */
  toast(text, mood) {
    this.bar.toast(text, mood);
  }
}
