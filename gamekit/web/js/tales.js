/**
 * Events as sentences, for the log and for the line in the bar. Pure. What is not listed here is told to nobody: what
 * other owners' ships do all day is seen on the map, and what this page does not know cannot be put into words.
 *
 * @import {GameEvent, Id, View} from "./types"
 */

import { formatCredits } from "./model.js";

/** Why a trade moved less than was wanted, by the code of the refusal that one more unit would have met. */
export const LIMITS = /** @type {Record<string, string>} */ ({
  no_stock: "there is no more",
  minimum_stock: "the station keeps the rest",
  reserved: "the rest is promised to other ships",
  hold_full: "the hold is full then",
  no_credits: "there are not enough credits for more",
  no_room: "the station has no more room",
  no_cargo: "the ship carries no more",
});

/** @typedef {{text: string, kind: "" | "good" | "bad" | "trade"}} Tale */

/**
 * What an event is worth telling to a player; null when it is not.
 * @param {View} view
 * @param {Id | null} player
 * @param {GameEvent} event
 * @returns {Tale | null}
 */
export function tell(view, player, event) {
  const teller = TELLERS[event.type];
  if (!teller) return null;
  const ship = event.ship === undefined ? undefined : view.ships[String(event.ship)];
  const own = player !== null && (event.player === player || (ship !== undefined && ship.owner === player));
  const told = teller(new Names(view), event, own);
  if (!told) return null;
  return typeof told === "string" ? { text: told, kind: "" } : told;
}

/** Names for ids; an id that is not in the view stands for itself. */
class Names {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
  }

  /** @param {unknown} id */
  ship(id) {
    return this.view.ships[String(id)]?.name ?? String(id);
  }

  /** @param {unknown} id */
  station(id) {
    return this.view.stations[String(id)]?.name ?? String(id);
  }

  /** @param {unknown} id */
  ware(id) {
    return this.view.wares[String(id)]?.name ?? String(id);
  }

  /** @param {unknown} id */
  sector(id) {
    return this.view.sectors[String(id)]?.name ?? String(id);
  }

  /** @param {unknown} id */
  gate(id) {
    const gate = this.view.gates[String(id)];
    const there = gate && this.view.sectors[gate.to_sector ?? ""]?.name;
    return gate ? `the gate from ${this.sector(gate.sector)} to ${there ?? "the unknown"}` : "a gate";
  }

  /** Whether a gate is the one end by which its passage is told of, as both close and open together. @param {unknown} id */
  isFirstEnd(id) {
    const other = this.view.gates[String(id)]?.to;
    return !other || !this.view.gates[other] || String(id) < other;
  }
}

/** @type {(text: string) => Tale} */
const bad = (text) => ({ text, kind: "bad" });

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {Names} names @param {GameEvent} event @param {string} verb @returns {Tale} */
function traded(names, event, verb) {
  const wanted = Number(event.wanted ?? event.units);
  const short = wanted > Number(event.units);
  const why = LIMITS[String(event.limited_by ?? "")];
  const units = short ? `only ${event.units} of ${wanted}` : event.units;
  const fee = event.fee ? `, fee ${formatCredits(Number(event.fee))}` : "";
  const text = `${names.ship(event.ship)} ${verb} ${units} ${names.ware(event.ware)} at ${names.station(event.station)} for ${formatCredits(Number(event.total))} cr${fee}`;
  return { text: short ? `${text}: ${why ?? "no more could be moved"}` : text, kind: short ? "bad" : "trade" };
}

/** @type {Record<string, (names: Names, event: GameEvent, own: boolean) => Tale | string | null>} */
const TELLERS = {
  PlayerJoined: (_, { name }) => ({ text: `${name} joined the game`, kind: "good" }),
  ShipDocked: (names, { ship, station }, own) =>
    own ? `${names.ship(ship)} docked at ${names.station(station)}` : null,
  ShipEmerged: (names, { ship, sector }, own) =>
    own ? `${names.ship(ship)} came out in ${names.sector(sector)}` : null,
  ShipHolding: (names, { ship, reason }, own) => (own ? bad(`${names.ship(ship)} is ${reason}`) : null),
  GateClosed: (names, { gate }) => (names.isFirstEnd(gate) ? bad(`${sentence(names.gate(gate))} is closed`) : null),
  GateOpened: (names, { gate }) => (names.isFirstEnd(gate) ? `${sentence(names.gate(gate))} is open again` : null),
  AutoTradeSwitched: (names, { ship, on }, own) =>
    own ? `${names.ship(ship)} ${on ? "trades by itself now" : "no longer trades by itself"}` : null,
  TradeAssigned: (names, { ship, units, ware, source, target }, own) => {
    if (!own) return null;
    const from = source ? ` from ${names.station(source)}` : "";
    return `${names.ship(ship)} took a job: ${units} ${names.ware(ware)}${from} to ${names.station(target)}`;
  },
  TradeAbandoned: (names, { ship, reason }, own) =>
    own ? bad(`${names.ship(ship)} gave its job up: ${reason}`) : null,
  QueueChanged: (names, { ship, why }, own) =>
    own && (why === "replanned" || why === "gate") ? `${names.ship(ship)} takes another way` : null,
  EntryFailed: (names, { ship, message }, own) => (own ? bad(`${names.ship(ship)}: ${message}`) : null),
  WareBought: (names, event, own) => (own ? traded(names, event, "bought") : null),
  WareSold: (names, event, own) => (own ? traded(names, event, "sold") : null),
  ShipBought: (names, { ship }, own) => (own ? `${names.ship(ship)} is new in the fleet` : null),
  ShipRenamed: (names, { ship }, own) => (own ? `A ship is called ${names.ship(ship)} from now on` : null),
  ShipSold: (_, { ship, name }, own) => (own ? `${name ?? ship} was sold` : null),
  SectorCharted: (names, { sector }) => ({ text: `${names.sector(sector)} is on the map now`, kind: "good" }),
  SectorDiscovered: (names, { ship, sector }, own) =>
    own ? { text: `${names.ship(ship)} discovered ${names.sector(sector)}`, kind: "good" } : null,
  RulesChanged: () => ({ text: "The rules of the game were changed", kind: "bad" }),
};
