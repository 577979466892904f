/**
 * The page's sentences about the game: queue entries, commands, the connection. Pure: view in, text out.
 *
 * @import {Body, Destination, Id, QueueEntry, View} from "./types"
 * @import {State} from "./connection.js"
 */

/** @param {View} view @param {Id | null | undefined} id null for what lies beyond an unknown gate */
function sectorName(view, id) {
  if (id === null) return "the unknown";
  return view.sectors[id ?? ""]?.name ?? id ?? "nowhere";
}

/** @param {View} view @param {Id | undefined} id */
function gateName(view, id) {
  const gate = view.gates[id ?? ""];
  return gate ? `gate to ${sectorName(view, gate.to_sector)}` : "gate";
}

/** @param {View} view @param {Id | undefined} id */
function stationName(view, id) {
  return view.stations[id ?? ""]?.name ?? id ?? "a station";
}

/** A number with a real minus sign. @param {number | undefined} metres */
function coordinate(metres) {
  return String(metres ?? 0).replace("-", "−");
}

/**
 * A place in a sector: by the gate or station that is there, else by its position.
 * @param {View} view
 * @param {{sector?: Id, x?: number, y?: number}} place
 */
function placeName(view, { sector, x, y }) {
  const here = (/** @type {{sector: Id, x: number, y: number}} */ one) =>
    one.sector === sector && one.x === x && one.y === y;
  const gate = Object.keys(view.gates).find((id) => here(/** @type {any} */ (view.gates[id])));
  if (gate) return gateName(view, gate);
  const station = Object.values(view.stations).find(here);
  if (station) return station.name;
  return `${coordinate(x)}, ${coordinate(y)} in ${sectorName(view, sector)}`;
}

/** One step of a ship's queue. @param {View} view @param {QueueEntry} entry */
export function describeEntry(view, entry) {
  switch (entry.type) {
    case "fly":
      return `Fly to ${placeName(view, entry)}`;
    case "jump":
      return `Jump to ${sectorName(view, view.gates[entry.gate ?? ""]?.to_sector)}`;
    case "dock":
      return `Dock at ${stationName(view, entry.station)}`;
    case "buy":
    case "sell":
      return `${entry.type === "buy" ? "Buy" : "Sell"} ${entry.units} ${view.wares[entry.ware ?? ""]?.name ?? entry.ware}`;
    default:
      return entry.type;
  }
}

/** What a command is about, as the beginning of a sentence. @param {View} view @param {Body} body */
export function describeCommand(view, body) {
  const ship = view.ships[String(body.ship)]?.name ?? "A ship";
  if (body.type === "move") {
    const to = /** @type {Destination} */ (body.to);
    const place =
      "station" in to ? stationName(view, to.station) : "gate" in to ? gateName(view, to.gate) : placeName(view, to);
    return `${ship} to ${place}`;
  }
  if (body.type === "stop") return `${ship}: stop`;
  if (body.type === "cancel") return `${ship}: take a step out of the queue`;
  return `${ship}: ${body.type}`;
}

/**
 * The connection's state in a few words.
 * @param {State} state
 * @param {number} latencyMs NaN when it is not known
 * @param {number} nextTryIn seconds
 */
export function describeState(state, latencyMs, nextTryIn) {
  switch (state.kind) {
    case "live":
      return Number.isNaN(latencyMs) ? "Live" : `Live · ${Math.max(1, Math.round(latencyMs))} ms`;
    case "connecting":
      return "Connecting…";
    case "offline":
      return `Offline · next try in ${Math.ceil(nextTryIn)} s`;
    case "refused":
      return `Refused: ${state.reason}`;
  }
}

/** How many orders wait. @param {number} count @param {boolean} live */
export function describePending(count, live) {
  const orders = count === 1 ? "1 order" : `${count} orders`;
  return live ? `Sending ${orders}` : `${orders} waiting to be sent`;
}
