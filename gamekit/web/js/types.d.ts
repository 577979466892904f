// The shapes that the modules share, for the type checker only; browsers never load this file.
// Lengths are metres (x to the right, y down, from the sector's centre), money is centi-credits, time is ticks.

import type { CommandQueue, Entry } from "./queue.js";

export type Id = string;
export type Point = [x: number, y: number];
export type Units = Record<string, number>;

export interface Sector {
  name: string;
  x: number;
  y: number;
  size_m: number;
  gates: Id[];
}

export interface Gate {
  sector: Id;
  x: number;
  y: number;
  /** The other end; null when the player does not know what is beyond. */
  to: Id | null;
  to_sector: Id | null;
  open: boolean;
  /** "open", or why it is closed. */
  reason: string;
  /** When the storm that closes it will end; null when there is none. */
  storm_until: number | null;
  jump_ticks: number;
}

export interface Station {
  name: string;
  kind: string;
  sector: Id;
  x: number;
  y: number;
  owner: Id | null;
  recipe: { inputs: Units; outputs: Units; cycle_ticks: number } | null;
  stock: Units;
  capacity: Units;
  price: Units;
  buys: string[];
  sells: string[];
  status: string;
  reason: string;
  since?: number;
  /** Whether ships are sold and taken back here. */
  shipyard?: boolean;
}

export interface ShipClass {
  name: string;
  speed_percent: number;
  capacity_percent: number;
  price: number;
}

export type At =
  | { type: "space"; sector: Id; x: number; y: number }
  | { type: "leg"; sector: Id; from: Point; to: Point; depart: number; arrive: number }
  | { type: "dock"; station: Id }
  | { type: "gate"; gate: Id; exit: Id | null; depart: number; arrive: number };

export interface QueueEntry {
  id: number;
  order: number;
  type: string;
  status: string;
  eta?: number | null;
  sector?: Id;
  x?: number;
  y?: number;
  gate?: Id;
  exit?: Id | null;
  station?: Id;
  ware?: string;
  units?: number;
}

export interface Ship {
  name: string;
  owner: Id;
  class: string;
  capacity: number;
  speed: number;
  at: At;
  status: string;
  reason: string;
  hold?: Units;
  queue?: QueueEntry[];
  auto_trade?: boolean;
  job?: { ware: Id; units: number; source: Id | null; target: Id; loaded: boolean } | null;
}

export interface Player {
  name: string;
  joined: number;
  credits?: number;
  /** Whether it belongs to the scenario and nobody plays it. */
  company?: boolean;
}

export interface Ware {
  name: string;
  tier: number;
  volume: number;
  base_price: number;
}

export interface View {
  sectors: Record<Id, Sector>;
  gates: Record<Id, Gate>;
  stations: Record<Id, Station>;
  ships: Record<Id, Ship>;
  players: Record<Id, Player>;
  wares: Record<Id, Ware>;
  rules?: Record<string, { value: number }>;
  /** Tables that this page does not know, or not in every game. */
  [table: string]: unknown;
}

/** A patch for a view: for each table, fields by entity; null removes the entity. */
export type Changes = Record<string, unknown>;

/** Where a ship is: in a sector (docked when `station` is set), or on its way through a gate. */
export type Place =
  | { type: "sector"; sector: Id; x: number; y: number; heading: number | null; station: Id | null; moving: boolean }
  | { type: "gate"; gate: Id; exit: Id; along: number; moving: boolean };

export type RoutePart =
  | { type: "line"; sector: Id; from: Point; to: Point; eta?: number | null }
  | { type: "jump"; gate: Id; exit: Id; along: number; eta?: number | null };

export interface Route {
  parts: RoutePart[];
  end: { sector: Id; x: number; y: number } | null;
}

export type Destination = { sector: Id; x: number; y: number } | { station: Id } | { gate: Id; through?: boolean };

/** What the map asks for: send `ship` to `to`, after its other orders when `append`. */
export interface Order {
  ship: Id;
  to: Destination;
  append: boolean;
}

export interface ClockSetting {
  tick: number;
  speed: number;
  paused: boolean;
  tickHz: number;
  /** For how long there may be no news, in seconds. */
  quietS?: number;
}

/** A spot on the map that a pointer can be over. */
export type Target =
  | { type: "ship"; id: Id }
  | { type: "station"; id: Id }
  | { type: "gate"; id: Id }
  | { type: "sector"; id: Id; x: number; y: number };

/** A command body as the server reads it. */
export type Body = { type: string } & Record<string, unknown>;

export interface Outcome {
  cid: number;
  tick?: number;
  seq?: number;
  code?: string | null;
  message?: string | null;
}

export interface Welcome {
  type: "welcome";
  game: Id;
  name: string;
  player: Id | null;
  client: string;
  last_cid: number;
  epoch: number;
  tick: number;
  tick_hz: number;
  speed: number;
  paused: boolean;
  rules: Record<string, unknown>;
  /** How many commands may be under way; servers before 0.3 do not tell. */
  window?: number;
}

export interface Snapshot {
  type: "snapshot";
  tick: number;
  seq: number;
  n: number;
  view: View;
  outcomes?: Outcome[];
}

export interface GameEvent {
  type: string;
  [field: string]: unknown;
}

export interface Delta {
  type: "delta";
  tick: number;
  seq: number;
  n: number;
  events: GameEvent[];
  /** The tick of each event. */
  at?: number[];
  changes: Changes;
}

export interface Notice {
  type: "notice";
  kind: string;
  message: string;
  tick: number;
  speed?: number;
  paused?: boolean;
}

export type FromServer =
  | Welcome
  | Snapshot
  | Delta
  | Notice
  | { type: "ack"; cid: number; tick: number; seq: number }
  | { type: "error"; code: string; message: string; cid?: number }
  | { type: "pong"; t: number; tick: number; lateness_ms: number }
  | { type: "heartbeat"; tick: number | null; next_s: number }
  | Part;

/** A part of a large message; the data of all of them is the message, compressed (zlib), in base64. */
export interface Part {
  type: "part";
  i: number;
  of: number;
  data: string;
}

/** The part of localStorage and sessionStorage that is used; tests bring their own. */
export interface KeyValueStore {
  /** True for one that forgets with the page. */
  readonly forgets?: boolean;
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What a connection is doing. `tryAtMs` is on the connection's own clock. */
export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "offline"; tryAtMs: number }
  | { kind: "refused"; code: string; reason: string };

/** Who is told what comes of a connection. */
export interface Listeners {
  state?(state: ConnectionState): void;
  welcome?(message: Welcome): void;
  snapshot?(message: Snapshot): void;
  delta?(message: Delta): void;
  /** The server's clock, when no delta carried it. */
  tick?(tick: number): void;
  /** The server's clock, and when the ping left that it answers. */
  pong?(tick: number, sentMs: number): void;
  /** More of a large message has come; see `Connection.receiving`. */
  receiving?(): void;
  /** When the server will be heard again at the latest, in seconds. */
  quiet?(nextS: number): void;
  notice?(message: Notice): void;
  /** How a command ended. */
  outcome?(entry: Entry, outcome: Outcome): void;
  /** The server takes no commands just now; they go out later. */
  putOff?(code: string, message: string): void;
  /** An error that belongs to no command. */
  error?(code: string, message: string): void;
  /** Why there is no connection; empty when it is not known. */
  unreached?(sentence: string): void;
  /** The queue has changed. */
  pending?(): void;
  latency?(latencyMs: number): void;
}

/** What a connection is made of. */
export interface ConnectionParts {
  /** Of the game's socket. */
  url: string;
  /** Empty for a spectator. */
  token: string;
  queue: CommandQueue;
  /** Another queue of the same player that nobody sends. */
  adopt?(): Promise<CommandQueue | null>;
  /** Called with the queue that was left for another. */
  leave?(queue: CommandQueue): void;
  /** Finds out why no socket comes about: whether the latest did open; a sentence, or nothing. */
  why?(opened: boolean): Promise<string>;
  WebSocket?: new (url: string) => WebSocket;
  /** From 0 to 1. */
  random?(): number;
  /** Monotonic milliseconds. */
  now?(): number;
}
