/**
 * Prices and totals, by the formula that `gamekit/space/economy.py` documents, in whole numbers as there: what a trade
 * would cost or bring now, how much of it is possible, and what the price becomes. Pure: view in, numbers out.
 *
 * A quote is what the server would do at this moment. What is promised to other ships is not in the view, so the server
 * may move less; it then says so.
 *
 * @import {Id, Ship, Station, Units, View} from "./types"
 */

/** @typedef {(name: string, otherwise: number) => number} Rules what a rule says; `otherwise` where it is unknown */

/**
 * @typedef {object} Ask
 * @property {"buy" | "sell"} kind
 * @property {Id} station
 * @property {Id} ware
 * @property {number} units wanted
 * @property {Units} hold what the ship carries then
 * @property {number} capacity of its hold, in volume units
 * @property {number} credits centi-credits of its owner
 */

/**
 * @typedef {object} Quote
 * @property {number} units that would move
 * @property {number} total centi-credits, without the fee
 * @property {number} fee centi-credits
 * @property {number} before price of a unit now
 * @property {number} after price of a unit when the units have moved
 * @property {string} limit why not all that was wanted, as the code of a refusal; empty when it is all
 */

/** Division that rounds down, also below zero. @param {bigint} value @param {bigint} by positive */
function floorDiv(value, by) {
  const cut = value / by;
  return cut * by > value ? cut - 1n : cut;
}

/**
 * What `units` are worth, rounded down: units times the price at the middle of the move.
 * @param {number} base centi-credits a unit
 * @param {number} spread percent up and down around it
 * @param {number} stockSum the stock before the move plus the stock after it
 * @param {number} units
 * @param {number} capacity the stock's limit
 * @returns {number} centi-credits
 */
export function tradeTotal(base, spread, stockSum, units, capacity) {
  const [up, sum, room] = [BigInt(100 + spread), BigInt(stockSum), BigInt(capacity)];
  const value = BigInt(units) * BigInt(base) * (up * room - BigInt(spread) * sum);
  return Number(floorDiv(value, 100n * room));
}

/**
 * The price of one unit at a stock.
 * @param {number} base
 * @param {number} spread
 * @param {number} stock
 * @param {number} capacity
 */
export function priceAt(base, spread, stock, capacity) {
  return Math.max(1, tradeTotal(base, spread, 2 * stock, 1, capacity));
}

/**
 * What a ship pays, rounded up.
 * @param {number} base
 * @param {number} spread
 * @param {number} stock
 * @param {number} units
 * @param {number} capacity
 */
export function buyingTotal(base, spread, stock, units, capacity) {
  return -tradeTotal(-base, spread, 2 * stock - units, units, capacity);
}

/**
 * What a ship gets, rounded down.
 * @param {number} base
 * @param {number} spread
 * @param {number} stock
 * @param {number} units
 * @param {number} capacity
 */
export function sellingTotal(base, spread, stock, units, capacity) {
  return tradeTotal(base, spread, 2 * stock + units, units, capacity);
}

/** The fee for a total, rounded up. @param {number} permille @param {number} total */
export function feeOf(permille, total) {
  return Math.ceil((total * permille) / 1000);
}

/**
 * The rules in force: those in the view where it has them, else those of the welcome.
 * @param {View} view
 * @param {Record<string, unknown>} welcomed
 * @returns {Rules}
 */
export function rulesOf(view, welcomed) {
  const live = /** @type {Record<string, {value?: unknown}> | undefined} */ (view.rules);
  return (name, otherwise) => {
    const value = live?.[name]?.value ?? welcomed[name];
    return typeof value === "number" ? value : otherwise;
  };
}

/** How much of a hold is taken. @param {View} view @param {Units} hold @returns {number} volume units */
export function holdUsed(view, hold) {
  return Object.entries(hold).reduce((sum, [ware, units]) => sum + units * (view.wares[ware]?.volume ?? 0), 0);
}

/**
 * Where a ship will be docked and what it will carry when its queue is done.
 * @param {Ship} ship
 * @returns {{station: Id | null, hold: Units, later: boolean}} later: whether something comes before
 */
export function afterQueue(ship) {
  let station = ship.at.type === "dock" ? ship.at.station : null;
  const hold = { ...ship.hold };
  for (const entry of ship.queue ?? []) {
    if (entry.type === "fly" || entry.type === "jump") station = null;
    else if (entry.type === "dock") station = entry.station ?? null;
    else if (entry.type === "buy" && entry.ware) hold[entry.ware] = (hold[entry.ware] ?? 0) + (entry.units ?? 0);
    else if (entry.type === "sell" && entry.ware)
      hold[entry.ware] = Math.max(0, (hold[entry.ware] ?? 0) - (entry.units ?? 0));
  }
  return { station, hold, later: (ship.queue ?? []).length > 0 };
}

/**
 * What a trade would do now.
 * @param {View} view
 * @param {Rules} rules
 * @param {Ask} ask
 * @returns {Quote | null} null when the station or the ware is not known
 */
export function quote(view, rules, ask) {
  const station = view.stations[ask.station];
  const ware = view.wares[ask.ware];
  const size = station?.capacity?.[ask.ware];
  if (!station || !ware || !size) return null;
  const spread = rules("price_spread_percent", 30);
  const permille = rules("trade_fee_permille", 0);
  const stock = station.stock[ask.ware] ?? 0;
  const base = ware.base_price;
  const total = (/** @type {number} */ units) =>
    ask.kind === "buy" ? buyingTotal(base, spread, stock, units, size) : sellingTotal(base, spread, stock, units, size);
  let { units, limit } = ask.kind === "buy" ? buyable(view, rules, ask, station, size) : sellable(ask, station, size);
  if (ask.kind === "buy") {
    const most = affordable(units, ask.credits, (some) => total(some) + feeOf(permille, total(some)));
    if (most < units) [units, limit] = [most, "no_credits"];
  }
  const sum = total(units);
  const left = ask.kind === "buy" ? stock - units : stock + units;
  const [before, after] = [priceAt(base, spread, stock, size), priceAt(base, spread, left, size)];
  return { units, total: sum, fee: feeOf(permille, sum), before, after, limit };
}

/** @param {View} view @param {Rules} rules @param {Ask} ask @param {Station} station @param {number} size */
function buyable(view, rules, ask, station, size) {
  const kept = Math.floor((size * rules("minimum_stock_percent", 0)) / 100);
  const stock = Math.max(0, (station.stock[ask.ware] ?? 0) - kept);
  const volume = view.wares[ask.ware]?.volume ?? 1;
  const room = Math.max(0, Math.floor((ask.capacity - holdUsed(view, ask.hold)) / volume));
  let [units, limit] = [ask.units, ""];
  if (units > stock) [units, limit] = [stock, kept ? "minimum_stock" : "no_stock"];
  if (units > room) [units, limit] = [room, "hold_full"];
  return { units, limit };
}

/** @param {Ask} ask @param {Station} station @param {number} size */
function sellable(ask, station, size) {
  const held = ask.hold[ask.ware] ?? 0;
  const room = Math.max(0, size - (station.stock[ask.ware] ?? 0));
  let [units, limit] = [ask.units, ""];
  if (units > held) [units, limit] = [held, "no_cargo"];
  if (units > room) [units, limit] = [room, "no_room"];
  return { units, limit };
}

/**
 * The most units, up to `units`, that cost at most `credits`; the cost grows with the units.
 * @param {number} units
 * @param {number} credits
 * @param {(units: number) => number} cost
 */
function affordable(units, credits, cost) {
  if (cost(units) <= credits) return units;
  let [low, high] = [0, units - 1];
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if (cost(middle) <= credits) low = middle;
    else high = middle - 1;
  }
  return low;
}
