/**
 * The page's sentences about the game: queue entries, commands, the connection. Pure: view in, text out.
 *
 * @import {Body, Destination, Id, QueueEntry, Ship, View} from "./types"
 * @import {State} from "./connection.js"
 * @import {OrderRow} from "./orderbook.js"
 * @import {Quote} from "./trade.js"
 */

import { formatCredits, formatPrice } from "./model.js";
import { LIMITS } from "./tales.js";

/** @param {View} view @param {Id | null | undefined} id null for what lies beyond an unknown gate */
function sectorName(view, id) {
  if (id === null) return "the unknown";
  return view.sectors[id ?? ""]?.name ?? id ?? "nowhere";
}

/** @param {View} view @param {Id | undefined} id */
function gateName(view, id) {
  const gate = view.gates[id ?? ""];
  return gate ? `gate to ${gate.to_sector ? sectorName(view, gate.to_sector) : "the unknown"}` : "gate";
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
  if (!x && !y) return `the middle of ${sectorName(view, sector)}`;
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

/** What a ship does, in a word: "waiting" is said of one that is being docked, and sounds like trouble. @param {Ship} ship */
export function describeStatus({ status }) {
  return status === "waiting" ? "docking" : status;
}

/** What an order in a queue is about as a whole. @param {View} view @param {QueueEntry[]} entries of one order */
export function describeOrder(view, entries) {
  const last = entries.at(-1);
  if (!last) return "";
  if (last.type === "dock") return `To ${stationName(view, last.station)}`;
  if (last.type === "jump") return `To ${sectorName(view, view.gates[last.gate ?? ""]?.to_sector)}`;
  return last.type === "fly" ? `To ${placeName(view, last)}` : describeEntry(view, last);
}

/** What a command is about, as the beginning of a sentence. @param {View} view @param {Body} body */
export function describeCommand(view, body) {
  const ship = view.ships[String(body.ship)]?.name ?? "A ship";
  const ware = view.wares[String(body.ware)]?.name ?? String(body.ware);
  switch (body.type) {
    case "move": {
      const to = /** @type {Destination} */ (body.to);
      const place =
        "station" in to ? stationName(view, to.station) : "gate" in to ? gateName(view, to.gate) : placeName(view, to);
      return `${ship} to ${place}`;
    }
    case "buy":
      return `${ship}: buy ${body.units} ${ware}`;
    case "sell":
      return `${ship}: sell ${body.units} ${ware}`;
    case "stop":
      return `${ship}: stop`;
    case "cancel":
      return `${ship}: take an order out of the queue`;
    case "reorder":
      return `${ship}: another sequence of orders`;
    case "auto_trade":
      return `${ship}: auto-trade ${body.on ? "on" : "off"}`;
    case "buy_ship":
      return `A new ${body.class} at ${stationName(view, String(body.station))}`;
    case "sell_ship":
      return `${ship}: sell the ship`;
    case "rename_ship":
      return `${ship}: call it ${body.name}`;
    default:
      return `${ship}: ${body.type}`;
  }
}

/** How an order stands. @param {OrderRow} row */
export function describeStanding({ state, body, message }) {
  switch (state) {
    case "waiting":
      return "waiting to be sent";
    case "sent":
      return "sent";
    case "acknowledged":
      return "received and safe";
    case "refused":
      return `refused: ${message}`;
    case "done":
      return body.type === "move" || body.type === "buy" || body.type === "sell" ? "accepted" : "done";
  }
}

/**
 * What a trade would do.
 * @param {string} ware its name
 * @param {"buy" | "sell"} kind
 * @param {Quote} quote
 * @param {boolean} later whether something comes before, until which prices move
 */
export function describeQuote(ware, kind, { units, total, fee, before, after, limit }, later) {
  const why = LIMITS[limit] ?? "";
  if (!units) return `Nothing can be ${kind === "buy" ? "bought" : "sold"}: ${why || "choose how many"}.`;
  const each = formatPrice(Math.floor(total / units));
  const sum = formatCredits(kind === "buy" ? total + fee : total - fee);
  const charged = !fee
    ? ""
    : kind === "buy"
      ? `, ${formatCredits(fee)} of it the fee`
      : `, a fee of ${formatCredits(fee)} taken off`;
  const text = `${units} ${ware} for ${sum} cr (${each} each${charged}). The price goes from ${formatPrice(before)} to ${formatPrice(after)}.`;
  const short = why ? ` Not more: ${why}.` : "";
  return `${text}${short}${later ? " At the prices of now." : ""}`;
}

/**
 * The connection's state in a few words.
 * @param {State} state
 * @param {number} latencyMs NaN when it is not known
 * @param {number} nextTryIn seconds
 * @param {number} [latenessMs] of the server's ticks; NaN when it is not known
 * @param {number | null} [receiving] how much of the picture has come, while it comes
 */
export function describeState(state, latencyMs, nextTryIn, latenessMs = NaN, receiving = null) {
  switch (state.kind) {
    case "live": {
      if (receiving !== null) return `Receiving the galaxy${receiving ? `, ${Math.floor(100 * receiving)} %` : "…"}`;
      if (Number.isNaN(latencyMs)) return "Live";
      const late = Number.isNaN(latenessMs) ? "" : ` · ticks ${Math.round(latenessMs)} ms late`;
      return `Live · ${Math.max(1, Math.round(latencyMs))} ms${late}`;
    }
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
