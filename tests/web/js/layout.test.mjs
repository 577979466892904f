import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../../gamekit/web/js/camera.js";
import { Labels, paintSectorNames } from "../../../gamekit/web/js/labels.js";
import {
  BOX,
  boundsOf,
  curveFrom,
  gateCurve,
  layoutSectors,
  metresOf,
  onCurve,
  planeOf,
} from "../../../gamekit/web/js/layout.js";
import { Ground } from "../../../gamekit/web/js/ground.js";
import { Marks, OWN, STUCK } from "../../../gamekit/web/js/marks.js";
import { fullness } from "../../../gamekit/web/js/paint.js";
import { targetAt } from "../../../gamekit/web/js/targets.js";
import { Traffic } from "../../../gamekit/web/js/traffic.js";
import { seeded } from "./fakes.mjs";

const galaxy = (count, place) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `s${index}`,
      { name: `S${index}`, size_m: 2000, gates: [], ...place(index) },
    ]),
  );

function overlaps(boxes) {
  const list = [...boxes.values()];
  let found = 0;
  for (const [index, one] of list.entries()) {
    for (const other of list.slice(index + 1)) {
      if (Math.abs(one.x - other.x) < BOX && Math.abs(one.y - other.y) < BOX) found += 1;
    }
  }
  return found;
}

const random = seeded(11);
const somewhere = (size) => () => ({ x: Math.round(random() * size), y: Math.round(random() * size) });
const galaxies = {
  "one sector": galaxy(1, () => ({ x: 5, y: 5 })),
  "two far apart": galaxy(2, (index) => ({ x: index * 1e9, y: 0 })),
  "all on one spot": galaxy(60, () => ({ x: 3, y: 3 })),
  "on a line": galaxy(80, (index) => ({ x: index, y: 0 })),
  "a tight cluster and one far away": galaxy(50, (index) =>
    index ? { x: index % 7, y: index % 5 } : { x: 1e7, y: 1e7 },
  ),
  "a thousand at random": galaxy(1000, somewhere(100000)),
  "a thousand crowded": galaxy(1000, somewhere(40)),
};

for (const [name, sectors] of Object.entries(galaxies)) {
  test(`boxes do not overlap: ${name}`, () => {
    const boxes = layoutSectors(sectors);
    assert.equal(boxes.size, Object.keys(sectors).length);
    for (const { x, y } of boxes.values()) assert.ok(Number.isFinite(x) && Number.isFinite(y));
    assert.equal(overlaps(boxes), 0);
  });
}

test("the layout depends on the sectors alone, not on their order", () => {
  const sectors = galaxy(40, somewhere(200));
  const turned = Object.fromEntries(Object.entries(sectors).reverse());
  assert.deepEqual([...layoutSectors(sectors)], [...layoutSectors(turned)]);
});

test("where there is room, neighbours keep their sides", () => {
  const boxes = layoutSectors(galaxy(3, (index) => ({ x: [0, 500, 0][index], y: [0, 0, 500][index] })));
  assert.ok(boxes.get("s1").x > boxes.get("s0").x);
  assert.ok(boxes.get("s2").y > boxes.get("s0").y);
});

test("an empty galaxy has bounds to look at", () => {
  const { left, right } = boundsOf(layoutSectors({}).values());
  assert.ok(right > left);
});

test("metres and the plane convert into each other, and outside there are none", () => {
  const box = { x: 300, y: -40, size_m: 2000 };
  assert.deepEqual(metresOf(box, planeOf(box, -750, 999)), { x: -750, y: 999 });
  assert.equal(metresOf(box, planeOf(box, 1001, 0)), null);
});

test("a gate's curve joins the gates, and its rest begins where it was cut", () => {
  const [box, other] = [
    { x: 0, y: 0, size_m: 2000 },
    { x: 300, y: 100, size_m: 2000 },
  ];
  const curve = gateCurve(box, { x: 900, y: 0 }, other, { x: -900, y: 0 });
  assert.deepEqual(curve[0], { x: 45, y: 0 });
  assert.deepEqual(curve[3], { x: 255, y: 100 });
  const [cut, rest] = [onCurve(curve, 0.3), curveFrom(curve, 0.3)];
  assert.ok(Math.hypot(rest[0].x - cut.x, rest[0].y - cut.y) < 1e-9);
  assert.deepEqual(rest[3], curve[3]);
  assert.ok(Math.abs(onCurve(curve, 0.5).heading) < Math.PI / 2, "it leads forwards");
});

test("a camera keeps the spot under the pointer when it zooms, and what is framed in sight", () => {
  const camera = new Camera();
  Object.assign(camera, { width: 800, height: 600, insets: { left: 0, top: 50, right: 300, bottom: 0 } });
  camera.go(camera.sightOf({ left: -500, top: -100, right: 700, bottom: 900 }));
  for (const corner of [
    { x: -500, y: -100 },
    { x: 700, y: 900 },
  ]) {
    const { x, y } = camera.toScreen(corner);
    assert.ok(x >= 0 && x <= 500 && y >= 50 && y <= 600);
  }
  const anchor = { x: 123, y: 456 };
  const before = camera.toPlane(anchor);
  camera.zoomAt(2.5, anchor);
  const after = camera.toPlane(anchor);
  assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-9);
  camera.go({ x: 5, y: 6, scale: 3 }, 0);
  assert.ok(camera.step(100));
  camera.step(10000);
  assert.deepEqual(camera.sight, { x: 5, y: 6, scale: 3 });
  assert.equal(camera.step(10001), false);
});

function scene() {
  const sectors = galaxy(2, (index) => ({ x: index * 10, y: 0 }));
  const station = { name: "Hub", sector: "s0", x: 0, y: 0 };
  const ships = {
    theirs: { name: "T", owner: "p2", status: "docked", at: { type: "dock", station: "hub" } },
    mine: { name: "M", owner: "p1", status: "waiting", at: { type: "dock", station: "hub" } },
  };
  const view = { sectors, gates: {}, stations: { hub: station }, ships, players: {} };
  const ground = new Ground();
  ground.layout(view);
  ground.refresh(view);
  const camera = new Camera();
  Object.assign(camera, { width: 800, height: 600 });
  camera.go(camera.sightOf(boundsOf(ground.boxes.values())));
  ground.look(camera, 0);
  return { view, ground, camera };
}

function marksOf({ view, ground, camera }, tick, player) {
  const marks = new Marks();
  marks.update(view, ground, player);
  const flying = marks.place(camera, tick);
  return { marks, flying };
}

test("ships at one station stand apart, own ones have the first place and are painted last", () => {
  const { marks, flying } = marksOf(scene(), 0, "p1");
  assert.equal(flying, false);
  assert.deepEqual(
    marks.kinds.flat().map(({ id, own, berth, seen }) => [id, own, berth, seen]),
    [
      ["theirs", false, 1, true],
      ["mine", true, 0, true],
    ],
  );
  const [one, other] = [marks.get("mine"), marks.get("theirs")];
  assert.ok(Math.hypot(one.x - other.x, one.y - other.y) > 8);
});

test("only a ship that holds stands out as stuck, not one that is being docked", () => {
  const kinds = ["flying", "waiting", "holding"].map((status) => {
    const world = scene();
    world.view.ships.mine.status = status;
    return marksOf(world, 0, "p1").marks.get("mine").kind;
  });
  assert.deepEqual(kinds, [OWN, OWN, STUCK]);
});

test("of many docked ships a few have places, the others are counted, and the user's own are always seen", () => {
  const world = scene();
  for (let i = 0; i < 40; i += 1) world.view.ships[`more${i}`] = { ...world.view.ships.theirs };
  const { marks } = marksOf(world, 0, "p1");
  assert.equal(marks.docked.get("hub"), 42);
  assert.equal(marks.drawn, 8);
  for (let i = 0; i < 20; i += 1) world.view.ships[`own${i}`] = { ...world.view.ships.mine };
  assert.equal(marksOf(world, 0, "p1").marks.drawn, 21);
});

test("only what is in sight is placed, and a change of one ship leaves the others alone", () => {
  const world = scene();
  const leg = { type: "leg", sector: "s1", from: [-500, 0], to: [500, 0], depart: 100, arrive: 300 };
  world.view.ships = {
    near: { name: "N", owner: "p1", status: "flying", at: { ...leg, sector: "s0" } },
    far: { name: "F", owner: "p2", status: "flying", at: leg },
  };
  const marks = new Marks();
  marks.update(world.view, world.ground, "p1");
  const { x, y } = world.ground.boxes.get("s0");
  world.camera.go({ x, y, scale: 20 });
  world.ground.look(world.camera, 0);
  assert.ok(marks.place(world.camera, 150));
  assert.deepEqual([marks.get("near").seen, marks.get("far").seen], [true, false]);
  assert.equal(marks.place(world.camera, 300), false, "what has arrived does not move");
  const before = marks.get("near");
  delete world.view.ships.far;
  marks.update(world.view, world.ground, "p1", ["far"]);
  marks.place(world.camera, 150);
  assert.equal(marks.get("near"), before);
  assert.deepEqual(marks.kinds.flat(), [before]);
});

test("a ship in a gate follows the lane that its curve draws", () => {
  const world = scene();
  world.view.gates = {
    a: { sector: "s0", x: 900, y: 0, to: "b", to_sector: "s1", open: true },
    b: { sector: "s1", x: -900, y: 0, to: "a", to_sector: "s0", open: true },
  };
  world.ground.layout(world.view);
  world.ground.look(world.camera, 0);
  const at = { type: "gate", gate: "b", exit: "a", depart: 0, arrive: 100 };
  world.view.ships = { one: { name: "One", owner: "p2", status: "jumping", at } };
  const mark = marksOf(world, 30, "p1").marks.get("one");
  const on = onCurve(world.ground.curves.get("b"), 0.3);
  const { x, y } = world.camera.toScreen(on);
  assert.ok(Math.hypot(mark.x - x, mark.y - y) < 1e-6);
  assert.ok(Math.hypot(mark.aheadX - Math.cos(on.heading), mark.aheadY - Math.sin(on.heading)) < 1e-6);
});

test("lanes grow brighter with the jumps through them and fade with game time", () => {
  const world = scene();
  world.view.gates = {
    a: { sector: "s0", x: 900, y: 0, to: "b", to_sector: "s1", open: true },
    b: { sector: "s1", x: -900, y: 0, to: "a", to_sector: "s0", open: true },
  };
  world.ground.layout(world.view);
  const traffic = new Traffic();
  world.view.ships = {};
  for (let i = 0; i < 6; i += 1) {
    const at = { type: "gate", gate: i % 2 ? "a" : "b", exit: i % 2 ? "b" : "a", depart: 10 * i, arrive: 99 };
    world.view.ships[`s${i}`] = { at };
  }
  traffic.note(world.view, world.ground, ["s0"]);
  traffic.note(world.view, world.ground, ["s0"]);
  const [lane] = world.ground.passages;
  assert.ok(traffic.grade([lane], 20));
  assert.equal(lane.busy, 1, "one jump, counted once");
  traffic.note(world.view, world.ground);
  assert.ok(traffic.grade([lane], 60));
  assert.equal(lane.busy, 2, "both directions together");
  assert.equal(traffic.grade([lane], 70), false);
  assert.ok(traffic.grade([lane], 60_000));
  assert.equal(lane.busy, 0);
  assert.equal(traffic.counts.size, 0, "and nothing is kept of it");
});

test("a flying ship has a trail along its leg, and none beyond its beginning", () => {
  const world = scene();
  const leg = { type: "leg", sector: "s0", from: [-500, 0], to: [500, 0], depart: 100, arrive: 300 };
  world.view.ships = { one: { name: "One", owner: "p1", status: "flying", at: leg } };
  const tail = (tick) => {
    const { trails, tailX, tailY } = marksOf(world, tick, "p1").marks.get("one");
    return trails ? [tailX, tailY].map(Math.round) : null;
  };
  const at = (x) => {
    const spot = world.camera.toScreen(planeOf(world.ground.boxes.get("s0"), x, 0));
    return [spot.x, spot.y].map(Math.round);
  };
  assert.deepEqual(tail(200), at(-300));
  assert.deepEqual(tail(110), at(-500));
  assert.equal(tail(300), null);
});

test("a station is as full as its stocks are on the average", () => {
  assert.equal(fullness({ stock: { ore: 50, food: 0 }, capacity: { ore: 100, food: 10 } }), 0.25);
  assert.equal(fullness({ stock: {}, capacity: {} }), 0);
});

test("a pointer finds the ship, the station, the sector's metres, or nothing", () => {
  const world = scene();
  const { marks: placed } = marksOf(world, 0, "p1");
  const marks = [...placed.byId.values()];
  const at = (x, y) => world.camera.toScreen(planeOf(world.ground.boxes.get("s0"), x, y));
  assert.deepEqual(targetAt(world, marks, marks[1], 13), { type: "ship", id: "mine" });
  assert.deepEqual(targetAt(world, marks, at(0, 0), 5), { type: "station", id: "hub" });
  assert.deepEqual(targetAt(world, marks, at(-600, 400), 13), { type: "sector", id: "s0", x: -600, y: 400 });
  assert.equal(targetAt(world, marks, at(-1200, 0), 13), null);
});

test("texts find free sides within their frame", () => {
  const labels = new Labels();
  const frame = { left: 0, top: 0, right: 200, bottom: 100 };
  assert.deepEqual(labels.spotFor(50, 10, { x: 50, y: 50 }, 5, frame), { x: 55, y: 50 });
  assert.deepEqual(labels.spotFor(40, 10, { x: 60, y: 50 }, 5, frame), { x: 15, y: 50 });
  assert.equal(labels.spotFor(300, 10, { x: 60, y: 50 }, 5, frame), null);
});

/** A canvas on which every letter is ten pixels wide; it notes what is written where. */
function paper() {
  const written = [];
  const fillText = (text, x) => written.push({ text, left: x, right: x + 10 * text.length });
  return { written, measureText: (text) => ({ width: 10 * text.length }), strokeText() {}, fillText };
}

function written(middles, text, edges = { left: 0, right: 1000 }) {
  const ctx = paper();
  const sectors = middles.map(([x, y]) => ({ text, middle: { x, y } }));
  paintSectorNames(ctx, 50, sectors, edges);
  return ctx.written;
}

test("a sector's name goes on over free room, and is cut only where there is none", () => {
  const name = "Epsilon Eridani";
  assert.deepEqual(written([[200, 100]], name), [{ text: name, left: 176, right: 326 }], "room to the right");
  const [atEdge] = written([[960, 100]], name);
  assert.deepEqual(atEdge, { text: name, left: 850, right: 1000 }, "room to the left");
  const row = written(
    [100, 168, 236, 304, 372].map((x) => [x, 100]),
    name,
  );
  assert.ok(row.filter(({ text }) => text.endsWith("…")).length >= 3, "no room between neighbours");
  for (const [index, one] of row.entries()) {
    for (const other of row.slice(index + 1)) assert.ok(one.right <= other.left || other.right <= one.left);
  }
});

test("a sector's name goes under no other box", () => {
  const [first] = written(
    [
      [200, 100],
      [280, 70],
    ],
    "Epsilon Eridani",
  );
  assert.equal(first.text, "Epsilon Eridani");
  assert.ok(first.right <= 255 - 7);
});
