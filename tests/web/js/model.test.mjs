import assert from "node:assert/strict";
import { test } from "node:test";

import {
  formatCredits,
  formatSpan,
  formatTime,
  GameClock,
  merge,
  Mirror,
  placeOf,
  routeOf,
  sectorsAround,
  shipsOf,
} from "../../../gamekit/web/js/model.js";
import { seeded } from "./fakes.mjs";

const sector = (name, ...gates) => ({ name, x: 0, y: 0, size_m: 2000, gates });
const gate = (here, there, x) => ({
  sector: here,
  x,
  y: 0,
  to: `${there}:${here}`,
  to_sector: there,
  open: true,
  jump_ticks: 50,
});

function galaxy() {
  return {
    sectors: { a: sector("A", "a:b"), b: sector("B", "b:a", "b:c"), c: sector("C", "c:b") },
    gates: {
      "a:b": gate("a", "b", 900),
      "b:a": gate("b", "a", -900),
      "b:c": gate("b", "c", 900),
      "c:b": gate("c", "b", -900),
    },
    stations: { hub: { name: "Hub", kind: "hub", sector: "c", x: 100, y: 200, price: {}, stock: {} } },
    ships: {},
    players: {},
    wares: {},
  };
}

test("merge replaces fields, adds and removes entities, and replaces what is no table", () => {
  const view = { ships: { one: { x: 1, y: 2 }, two: { x: 3 } }, title: "old" };
  merge(view, { ships: { one: { x: 9 }, two: null, three: { x: 4 } }, title: "new", stations: { s: { k: 1 } } });
  assert.deepEqual(view, { ships: { one: { x: 9, y: 2 }, three: { x: 4 } }, title: "new", stations: { s: { k: 1 } } });
});

test("merge replaces inner values as a whole", () => {
  const view = { stations: { s: { stock: { ore: 1, ice: 2 }, buys: ["ore"] } } };
  merge(view, { stations: { s: { stock: { ore: 5 }, buys: [] } } });
  assert.deepEqual(view, { stations: { s: { stock: { ore: 5 }, buys: [] } } });
});

test("a mirror is ready with its first snapshot and follows the deltas", () => {
  const mirror = new Mirror();
  assert.equal(mirror.ready, false);
  mirror.snapshot({ type: "snapshot", tick: 3, seq: 1, n: 0, view: { ships: { one: { x: 1 } } } });
  mirror.delta({ type: "delta", tick: 5, seq: 2, n: 1, events: [], changes: { ships: { one: { x: 2 } } } });
  assert.equal(mirror.ready, true);
  assert.deepEqual(mirror.view.ships, { one: { x: 2 } });
  assert.deepEqual([mirror.tick, mirror.seq], [5, 2]);
  assert.deepEqual(mirror.view.gates, {});
});

const setting = (tick, extra = {}) => ({ tick, speed: 1, paused: false, tickHz: 10, ...extra });

test("the clock runs at the session's speed between messages", () => {
  const clock = new GameClock();
  clock.set(setting(100, { speed: 3 }), 1000);
  assert.equal(clock.at(1000), 100);
  assert.ok(Math.abs(clock.at(1500) - 115) < 1e-9);
});

test("the clock never runs backwards and stays near the server's under jitter", () => {
  const random = seeded(4);
  const clock = new GameClock();
  let shown = -Infinity;
  let now = 5000;
  for (let tick = 0; tick < 600; tick += 1) {
    const sent = 5000 + tick * 100;
    const arrives = Math.max(now, sent + random() * 80);
    while (now + 16 < arrives) {
      now += 16;
      const value = clock.at(now);
      if (tick > 0) {
        assert.ok(value >= shown, `${value} after ${shown}`);
        shown = value;
      }
    }
    now = arrives;
    clock.set(setting(tick), now);
  }
  assert.ok(Math.abs(clock.at(now) - (now - 5000) / 100) < 1.5);
});

test("only a clock that was told to forget goes back a little", () => {
  const clock = new GameClock();
  clock.set(setting(100), 1000);
  assert.equal(clock.at(1500), 105);
  clock.set(setting(102), 1500);
  assert.ok(clock.at(1500) >= 105);
  clock.forget();
  clock.set(setting(102), 1500);
  assert.equal(clock.at(1500), 102);
});

test("the clock stands still after two seconds of silence", () => {
  const clock = new GameClock();
  clock.set(setting(0), 0);
  assert.equal(clock.at(60000), 20);
  assert.equal(clock.running(60000), false);
  assert.equal(clock.running(500), true);
});

test("the clock holds while the connection is lost and catches up without going back", () => {
  const clock = new GameClock();
  clock.set(setting(0), 0);
  const held = clock.at(1000);
  clock.hold(1000);
  assert.equal(clock.at(9000), held);
  clock.set(setting(8), 9000);
  assert.ok(clock.at(9001) >= held);
  clock.set(setting(90), 9100);
  assert.ok(clock.at(9101) > 89, "a long gap is jumped, not crept over");
});

test("a paused clock comes to rest on the server's tick", () => {
  const clock = new GameClock();
  clock.set(setting(0), 0);
  clock.at(400);
  clock.set(setting(6, { paused: true }), 500);
  for (let now = 500; now < 5000; now += 16) clock.at(now);
  assert.ok(Math.abs(clock.at(5000) - 6) < 0.02);
  assert.equal(clock.running(5000), false);
});

test("a ship on a leg is between its ends, and no further than them", () => {
  const view = galaxy();
  const ship = { at: { type: "leg", sector: "a", from: [0, 0], to: [100, -200], depart: 10, arrive: 20 } };
  const { x, y, moving } = placeOf(view, ship, 15);
  assert.deepEqual([x, y, moving], [50, -100, true]);
  assert.deepEqual([placeOf(view, ship, 5).x, placeOf(view, ship, 99).x], [0, 100]);
  assert.equal(placeOf(view, ship, 20).moving, false);
});

test("a ship is at its station, in its gate, or nowhere known", () => {
  const view = galaxy();
  assert.deepEqual(placeOf(view, { at: { type: "dock", station: "hub" } }, 0), {
    type: "sector",
    sector: "c",
    x: 100,
    y: 200,
    heading: null,
    station: "hub",
    moving: false,
  });
  const jumping = { at: { type: "gate", gate: "a:b", exit: "b:a", depart: 0, arrive: 50 } };
  assert.deepEqual(placeOf(view, jumping, 25), { type: "gate", gate: "a:b", exit: "b:a", along: 0.5, moving: true });
  assert.equal(placeOf(view, { at: { type: "space", sector: "fog", x: 0, y: 0 } }, 0), null);
  assert.equal(placeOf(view, { at: { type: "dock", station: "fog" } }, 0), null);
});

const queue = [
  { id: 1, type: "fly", sector: "a", x: 900, y: 0 },
  { id: 2, type: "jump", gate: "a:b", exit: "b:a" },
  { id: 3, type: "fly", sector: "b", x: 900, y: 0 },
  { id: 4, type: "jump", gate: "b:c", exit: "c:b" },
  { id: 5, type: "dock", station: "hub" },
  { id: 6, type: "sell", ware: "ore", units: 3 },
];

test("a route leads through every sector to its end", () => {
  const route = routeOf(galaxy(), { at: { type: "space", sector: "a", x: 0, y: 0 }, queue }, 0);
  assert.deepEqual(route.parts, [
    { type: "line", sector: "a", from: [0, 0], to: [900, 0] },
    { type: "jump", gate: "a:b", exit: "b:a", along: 0 },
    { type: "line", sector: "b", from: [-900, 0], to: [900, 0] },
    { type: "jump", gate: "b:c", exit: "c:b", along: 0 },
    { type: "line", sector: "c", from: [-900, 0], to: [100, 200] },
  ]);
  assert.deepEqual(route.end, { sector: "c", x: 100, y: 200 });
});

test("a route's parts tell when they will be done, where that is known", () => {
  const timed = queue.map((entry, index) => ({ ...entry, eta: index < 3 ? 100 * (index + 1) : null }));
  const { parts } = routeOf(galaxy(), { at: { type: "space", sector: "a", x: 0, y: 0 }, queue: timed }, 0);
  assert.deepEqual(
    parts.map(({ eta }) => eta),
    [100, 200, 300, undefined, undefined],
  );
});

test("the route of a ship within a gate begins on the curve, once", () => {
  const at = { type: "gate", gate: "a:b", exit: "b:a", depart: 0, arrive: 50 };
  const route = routeOf(galaxy(), { at, queue: queue.slice(1) }, 25);
  assert.deepEqual(route.parts[0], { type: "jump", gate: "a:b", exit: "b:a", along: 0.5 });
  assert.deepEqual(
    route.parts.map(({ type }) => type),
    ["jump", "line", "jump", "line"],
  );
});

test("a ship that stands still without orders has no route", () => {
  assert.deepEqual(routeOf(galaxy(), { at: { type: "dock", station: "hub" }, queue: [] }, 0), { parts: [], end: null });
});

test("sectors around one are found by jumps", () => {
  assert.deepEqual([...sectorsAround(galaxy(), "a", 1)], ["a", "b"]);
  assert.deepEqual([...sectorsAround(galaxy(), "a", 2)], ["a", "b", "c"]);
});

test("ships are listed by name, numbers as numbers", () => {
  const view = galaxy();
  for (const [id, name] of [
    ["x", "Ship 10"],
    ["y", "Ship 9"],
    ["z", "Other"],
  ])
    view.ships[id] = { name, owner: id === "z" ? "p2" : "p1" };
  assert.deepEqual(shipsOf(view, "p1"), ["y", "x"]);
  assert.deepEqual(shipsOf(view, null), []);
});

test("money and time are written for people", () => {
  assert.equal(formatCredits(10000000), "100,000");
  assert.equal(formatCredits(1234), "12.34");
  assert.equal(formatTime(36610, 10), "1:01:01");
  assert.equal(formatTime(864000 + 10, 10), "1 d 0:00:01");
  assert.deepEqual(
    [1, 590, 615, 6000, 36610].map((ticks) => formatSpan(ticks, 10)),
    ["1 s", "59 s", "1:02", "10:00", "1:01:01"],
  );
});

test("a gate into the unknown has no other side: ships wait before it, routes end at it", () => {
  const view = galaxy();
  delete view.sectors.c;
  delete view.gates["c:b"];
  delete view.stations.hub;
  Object.assign(view.gates["b:c"], { to: null, to_sector: null });
  const entry = { id: 1, order: 1, status: "queued" };
  const at = { type: "space", sector: "a", x: 0, y: 0 };
  const queue = [
    { ...entry, type: "fly", sector: "a", x: 900, y: 0 },
    { ...entry, type: "jump", gate: "a:b", exit: "b:a" },
    { ...entry, type: "fly", sector: "b", x: 900, y: 0 },
    { ...entry, type: "jump", gate: "b:c", exit: null },
  ];
  const route = routeOf(view, { at, queue }, 0);
  assert.equal(route.parts.length, 3);
  assert.deepEqual(route.end, { sector: "b", x: 900, y: 0 });
  const inside = { at: { type: "gate", gate: "b:c", exit: null, depart: 0, arrive: 50 }, queue: queue.slice(3) };
  const place = placeOf(view, inside, 10);
  assert.deepEqual([place.type, place.sector, place.x, place.y, place.moving], ["sector", "b", 900, 0, false]);
  assert.deepEqual(routeOf(view, inside, 10), { parts: [], end: null });
  assert.deepEqual([...sectorsAround(view, "a", 5)].sort(), ["a", "b"]);
});

test("a ship whose sector is not known is nowhere, and one out of sight is gone", () => {
  const view = galaxy();
  delete view.sectors.c;
  delete view.stations.hub;
  assert.equal(placeOf(view, { at: { type: "space", sector: "c", x: 0, y: 0 } }, 0), null);
  assert.equal(placeOf(view, { at: { type: "dock", station: "hub" } }, 0), null);
  assert.equal(placeOf(view, { at: { type: "gate", gate: "x:1", exit: null, depart: 0, arrive: 5 } }, 0), null);
  view.ships.one = { name: "One", owner: "p1", at: { type: "dock", station: "hub" } };
  merge(view, { ships: { one: null }, sectors: { c: { name: "C" } } });
  assert.deepEqual(shipsOf(view, "p1"), []);
  assert.deepEqual(view.sectors.c, { name: "C" });
});
