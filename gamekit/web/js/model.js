/**
 * The game as the browser knows it: the mirror of the view, the clock between messages, where ships are, where
 * they are going. Pure: no DOM, no socket, no storage; time comes in as an argument.
 *
 * Invariants: `merge` does exactly what `gamekit.game.merge` does; a clock never runs backwards while it follows
 * one session; nothing here changes a view but `merge` and `Mirror`.
 *
 * @import {At, Changes, ClockSetting, Delta, Id, Place, Point, Route, Ship, Snapshot, View} from "./types"
 */

/** How long the clock runs on without news before it stands still, in seconds; the server speaks once a second. */
const RUN_ON_S = 2;
/** How fast a difference to the server's clock is evened out: the time constant, in seconds. */
const SMOOTHING_S = 0.3;
/** A difference of more ticks than this, or than one second's worth, is a jump and not smoothed. */
const JUMP_TICKS = 10;

/** Whether a value is what Python calls a dict. @param {unknown} value @returns {value is Record<string, any>} */
function isTable(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Merge a patch into a view in place, exactly as `gamekit.game.merge` does.
 * @param {Record<string, any>} view
 * @param {Changes} changes
 */
export function merge(view, changes) {
  for (const [table, entities] of Object.entries(changes)) {
    if (!isTable(entities)) {
      view[table] = entities;
      continue;
    }
    const held = (view[table] ??= {});
    for (const [key, fields] of Object.entries(entities)) {
      if (fields === null) delete held[key];
      else if (isTable(fields) && isTable(held[key])) Object.assign(held[key], fields);
      else held[key] = fields;
    }
  }
}

/** A view without anything in it. @returns {View} */
export function emptyView() {
  return { sectors: {}, gates: {}, stations: {}, ships: {}, players: {}, wares: {} };
}

/** The mirror of the server's view, and up to which tick and record it is true. */
export class Mirror {
  constructor() {
    this.view = emptyView();
    this.tick = 0;
    this.seq = 0;
    /** Whether a snapshot has come yet. */
    this.ready = false;
  }

  /** Take over a whole view. @param {Snapshot} message */
  snapshot(message) {
    this.view = { ...emptyView(), ...message.view };
    this.tick = message.tick;
    this.seq = message.seq;
    this.ready = true;
  }

  /** Take over what changed. @param {Delta} message */
  delta(message) {
    merge(this.view, message.changes);
    this.tick = message.tick;
    this.seq = message.seq;
  }
}

/**
 * Game time between messages, in ticks with a fraction: follows the server's ticks smoothly and never backwards.
 * It stands still when nothing was heard for a while, so that it is not far ahead when the server comes back.
 */
export class GameClock {
  constructor() {
    this.rate = 0; // ticks a second
    this.tickHz = 10;
    this.anchorTick = 0;
    this.anchorMs = 0;
    this.shown = NaN;
    this.shownMs = 0;
    this.runOnMs = RUN_ON_S * 1000;
  }

  /** Go to what the next `set` says, be it in the past; for what is no live session. */
  forget() {
    this.shown = NaN;
  }

  /** What the server said. @param {ClockSetting} setting @param {number} nowMs a monotonic time in milliseconds */
  set({ tick, speed, paused, tickHz, quietS = 0 }, nowMs) {
    this.tickHz = tickHz;
    this.runOnMs = 1000 * Math.max(RUN_ON_S, 2 * quietS);
    if (!Number.isNaN(this.shown)) this.at(nowMs);
    this.shownMs = nowMs;
    this.rate = paused ? 0 : speed * tickHz;
    this.anchorTick = tick;
    this.anchorMs = nowMs;
  }

  /** Stand still until the next `set`, as when the connection is lost. @param {number} nowMs */
  hold(nowMs) {
    if (Number.isNaN(this.shown)) return;
    this.anchorTick = this.at(nowMs);
    this.anchorMs = this.shownMs = nowMs;
    this.rate = 0;
  }

  /** The tick to show. @param {number} nowMs @returns {number} ticks, with a fraction */
  at(nowMs) {
    const now = Math.min(nowMs, this.anchorMs + this.runOnMs);
    const target = this.anchorTick + (this.rate * Math.max(0, now - this.anchorMs)) / 1000;
    const passed_s = Math.max(0, now - this.shownMs) / 1000;
    const straight = this.shown + this.rate * passed_s;
    const error = target - straight;
    if (Number.isNaN(this.shown) || Math.abs(error) > Math.max(this.rate, JUMP_TICKS)) this.shown = target;
    else if (Math.abs(error) < 0.01) this.shown = Math.max(this.shown, target);
    else this.shown = Math.max(this.shown, straight + error * (1 - Math.exp(-passed_s / SMOOTHING_S)));
    this.shownMs = Math.max(this.shownMs, now);
    return this.shown;
  }

  /** Whether `at` will still give something else later without news. @param {number} nowMs */
  running(nowMs) {
    const stopped = nowMs >= this.anchorMs + this.runOnMs;
    return (this.rate > 0 && !stopped) || this.anchorTick > this.shown + 0.01;
  }
}

/**
 * How far along something is between two ticks, from 0 to 1.
 * @param {{depart: number, arrive: number}} span
 * @param {number} tick
 */
function along({ depart, arrive }, tick) {
  return arrive <= depart ? 1 : Math.min(1, Math.max(0, (tick - depart) / (arrive - depart)));
}

/**
 * Where a ship is at a tick.
 * @param {View} view
 * @param {{at: At}} ship
 * @param {number} tick may have a fraction
 * @returns {Place | null} null when the view does not hold the place
 */
export function placeOf(view, ship, tick) {
  const at = ship.at;
  if (at.type === "gate") {
    const gate = view.gates[at.gate];
    if (!gate) return null;
    // On its way into the unknown it is shown in front of the gate that it entered.
    if (at.exit === null || !view.gates[at.exit]) {
      return { type: "sector", sector: gate.sector, x: gate.x, y: gate.y, heading: null, station: null, moving: false };
    }
    return { type: "gate", gate: at.gate, exit: at.exit, along: along(at, tick), moving: tick < at.arrive };
  }
  if (at.type === "dock") {
    const station = view.stations[at.station];
    if (!station) return null;
    const { sector, x, y } = station;
    return { type: "sector", sector, x, y, heading: null, station: at.station, moving: false };
  }
  if (!view.sectors[at.sector]) return null;
  if (at.type === "space") {
    return { type: "sector", sector: at.sector, x: at.x, y: at.y, heading: null, station: null, moving: false };
  }
  const done = along(at, tick);
  const [fromX, fromY] = at.from;
  const [toX, toY] = at.to;
  const heading = toX === fromX && toY === fromY ? null : Math.atan2(toY - fromY, toX - fromX);
  return {
    type: "sector",
    sector: at.sector,
    x: fromX + (toX - fromX) * done,
    y: fromY + (toY - fromY) * done,
    heading,
    station: null,
    moving: tick < at.arrive,
  };
}

/**
 * The spot of a gate, a station or a position.
 * @param {View} view
 * @param {{gate?: Id | null, station?: Id, sector?: Id, x?: number, y?: number}} spot
 * @returns {{sector: Id, x: number, y: number} | null}
 */
export function spotOf(view, spot) {
  const held = spot.station ? view.stations[spot.station] : spot.gate ? view.gates[spot.gate] : spot;
  if (!held || held.sector === undefined || held.x === undefined || held.y === undefined) return null;
  return { sector: held.sector, x: held.x, y: held.y };
}

/**
 * The way that a ship's queue describes, from where the ship is to its last stop.
 * @param {View} view
 * @param {Ship} ship
 * @param {number} tick
 * @returns {Route}
 */
export function routeOf(view, ship, tick) {
  /** @type {Route} */
  const route = { parts: [], end: null };
  const place = placeOf(view, ship, tick);
  /** @type {{sector: Id, x: number, y: number} | null} */
  let cursor = null;
  if (place?.type === "sector") cursor = place;
  else if (place) {
    route.parts.push({ type: "jump", gate: place.gate, exit: place.exit, along: place.along });
    cursor = spotOf(view, { gate: place.exit });
  }
  for (const entry of ship.queue ?? []) {
    if (entry.type === "jump") {
      const entered = ship.at.type === "gate" && ship.at.gate === entry.gate && route.parts.length === 1;
      const beyond = spotOf(view, { gate: entry.exit ?? (entry.gate && view.gates[entry.gate]?.to) });
      if (!entry.gate || !beyond) continue;
      const exit = entry.exit ?? /** @type {Id} */ (view.gates[entry.gate]?.to);
      if (!entered)
        route.parts.push({ type: "jump", gate: entry.gate, exit, along: 0, ...(entry.eta && { eta: entry.eta }) });
      cursor = beyond;
    } else if (entry.type === "fly" || entry.type === "dock") {
      const next = spotOf(view, entry);
      if (!next) continue;
      if (cursor?.sector === next.sector && (cursor.x !== next.x || cursor.y !== next.y)) {
        /** @type {Point} */
        const from = [cursor.x, cursor.y];
        route.parts.push({
          type: "line",
          sector: next.sector,
          from,
          to: [next.x, next.y],
          ...(entry.eta && { eta: entry.eta }),
        });
      }
      cursor = next;
    }
  }
  if (route.parts.length && cursor) route.end = { sector: cursor.sector, x: cursor.x, y: cursor.y };
  return route;
}

/**
 * The sectors that are at most so many jumps away.
 * @param {View} view
 * @param {Id} from
 * @param {number} jumps
 * @returns {Set<Id>} with `from` itself
 */
export function sectorsAround(view, from, jumps) {
  const found = new Set([from]);
  let edge = [from];
  for (let jump = 0; jump < jumps; jump += 1) {
    edge = edge.flatMap((id) => (view.sectors[id]?.gates ?? []).flatMap((gate) => view.gates[gate]?.to_sector ?? []));
    edge = edge.filter((id) => !found.has(id));
    for (const id of edge) found.add(id);
  }
  return found;
}

/**
 * The ids of a player's ships, in the order of their names.
 * @param {View} view
 * @param {Id | null} player
 * @returns {Id[]}
 */
export function shipsOf(view, player) {
  const own = Object.entries(view.ships).filter(([, ship]) => player !== null && ship.owner === player);
  own.sort(
    ([a, one], [b, other]) => one.name.localeCompare(other.name, undefined, { numeric: true }) || (a < b ? -1 : 1),
  );
  return own.map(([id]) => id);
}

/** An amount of money for people. @param {number} centi centi-credits */
export function formatCredits(centi) {
  const digits = centi % 100 === 0 ? 0 : 2;
  return (centi / 100).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: 2 });
}

/** The price of a unit, for columns of prices. @param {number} centi centi-credits */
export function formatPrice(centi) {
  return (centi / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/**
 * A span of game time for people, rounded up: "19 s", "1:01", "1:02:03".
 * @param {number} ticks
 * @param {number} tickHz
 */
export function formatSpan(ticks, tickHz) {
  const seconds = Math.ceil(ticks / tickHz);
  const full = formatTime(seconds, 1);
  return seconds < 60 ? `${seconds} s` : seconds < 3600 ? full.replace(/^0:0?/, "") : full;
}

/**
 * A point in game time for people, as h:mm:ss with days when there are any.
 * @param {number} ticks
 * @param {number} tickHz
 */
export function formatTime(ticks, tickHz) {
  const seconds = Math.max(0, Math.floor(ticks / tickHz));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const clock = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days ? `${days} d ${clock}` : clock;
}
