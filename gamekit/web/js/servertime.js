/**
 * The server's clock as seen from here: which tick it shows now, with a fraction. Pure; time comes in as an argument.
 *
 * Every message that says a tick bounds the clock from below: when it arrives, the server is at that tick or later. A pong
 * bounds it from above as well: when the ping left, the server was not yet at the tick after the pong's. The tightest lower
 * bound is late by one way at least, so half of the shortest round trip is added; the upper bound caps that. Bounds are
 * forgotten after a while, because a server that is late changes its mind.
 *
 * Source: the interval form of Cristian's algorithm (F. Cristian, Probabilistic clock synchronization, 1989).
 */

/** How long a bound counts, in milliseconds. */
const MEMORY_MS = 12000;
/** Bounds that contradict each other by more ticks than this mean that the server's clock has jumped. */
const TORN_TICKS = 0.5;

/** Pongs in a row that must say so before a server counts as slower than it was. */
const BELIEVED = 2;

/** @typedef {{atMs: number, value: number}} Bound value: the tick that the bound gives for time 0 */

export class ServerTime {
  constructor() {
    this.rate = 0; // ticks a millisecond
    /** How many pongs in a row contradicted what was known. */
    this.torn = 0;
    /** @type {Bound[]} */
    this.lows = [];
    /** @type {Bound[]} */
    this.highs = [];
    /** @type {Bound[]} */
    this.trips = [];
  }

  /**
   * How fast the server's clock goes now; what was known at another speed is forgotten.
   * @param {number} rate ticks a second
   */
  pace(rate) {
    if (rate / 1000 === this.rate) return;
    this.rate = rate / 1000;
    this.forget();
  }

  /** Begin anew, as after a loss of the connection or a jump in time. */
  forget() {
    this.lows = [];
    this.highs = [];
  }

  /**
   * A message that says `tick` has arrived.
   * @param {number} tick
   * @param {number} nowMs
   * @returns {number} the server's tick now, with a fraction
   */
  heard(tick, nowMs) {
    const low = tick - this.rate * nowMs;
    const high = bound(this.highs, nowMs, Math.min);
    if (low > high + TORN_TICKS) this.highs = [];
    remember(this.lows, { atMs: nowMs, value: low });
    return this.at(nowMs);
  }

  /**
   * A pong has arrived.
   * @param {number} tick
   * @param {number} sentMs when its ping left
   * @param {number} nowMs
   */
  answered(tick, sentMs, nowMs) {
    remember(this.trips, { atMs: nowMs, value: nowMs - sentMs });
    const high = tick + 1 - this.rate * sentMs;
    const low = bound(this.lows, nowMs, Math.max);
    const torn = high < low - TORN_TICKS;
    this.torn = torn ? this.torn + 1 : 0;
    // A server that has stopped for a moment catches up at once; only one that stays behind has another clock now.
    if (torn && this.torn < BELIEVED) return this.at(nowMs);
    if (torn) this.lows = [];
    remember(this.highs, { atMs: nowMs, value: high });
    return this.heard(tick, nowMs);
  }

  /** The server's tick, with a fraction. @param {number} nowMs @returns {number} NaN before the first message */
  at(nowMs) {
    const low = bound(this.lows, nowMs, Math.max);
    if (!Number.isFinite(low)) return NaN;
    const trip = bound(this.trips, nowMs, Math.min);
    const oneWay = Number.isFinite(trip) ? (trip / 2) * this.rate : 0;
    const high = Math.max(low, bound(this.highs, nowMs, Math.min));
    return Math.min(low + oneWay, high) + this.rate * nowMs;
  }
}

/** @param {Bound[]} bounds @param {Bound} one */
function remember(bounds, one) {
  bounds.push(one);
  const young = bounds.findIndex(({ atMs }) => one.atMs - atMs < MEMORY_MS);
  if (young > 0) bounds.splice(0, young);
  if (bounds.length > 200) bounds.splice(0, bounds.length - 200);
}

/**
 * The tightest bound that still counts.
 * @param {Bound[]} bounds
 * @param {number} nowMs
 * @param {(...values: number[]) => number} tightest
 */
function bound(bounds, nowMs, tightest) {
  const values = bounds.filter(({ atMs }) => nowMs - atMs < MEMORY_MS).map(({ value }) => value);
  // The last one counts however old it is: there is nothing better.
  const last = bounds.at(-1);
  return values.length ? tightest(...values) : last ? last.value : tightest();
}
