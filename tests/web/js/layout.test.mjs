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
import { marksOf, targetAt } from "../../../gamekit/web/js/marks.js";
import { fullness } from "../../../gamekit/web/js/paint.js";
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
  const camera = new Camera();
  Object.assign(camera, { width: 800, height: 600 });
  const boxes = layoutSectors(sectors);
  camera.go(camera.sightOf(boundsOf(boxes.values())));
  const station = { name: "Hub", sector: "s0", x: 0, y: 0 };
  const ships = {
    theirs: { name: "T", owner: "p2", status: "docked", at: { type: "dock", station: "hub" } },
    mine: { name: "M", owner: "p1", status: "waiting", at: { type: "dock", station: "hub" } },
  };
  return { view: { sectors, gates: {}, stations: { hub: station }, ships }, boxes, curves: new Map(), camera };
}

test("ships at one station stand apart, own ones are painted last", () => {
  const { marks, flying } = marksOf(scene(), 0, "p1");
  assert.equal(flying, false);
  assert.deepEqual(
    marks.map(({ id, own, stuck }) => [id, own, stuck]),
    [
      ["theirs", false, false],
      ["mine", true, true],
    ],
  );
  assert.ok(Math.hypot(marks[0].x - marks[1].x, marks[0].y - marks[1].y) > 8);
});

test("a flying ship has a trail along its leg, and none beyond its beginning", () => {
  const world = scene();
  const leg = { type: "leg", sector: "s0", from: [-500, 0], to: [500, 0], depart: 100, arrive: 300 };
  world.view.ships = { one: { name: "One", owner: "p1", status: "flying", at: leg } };
  const tail = (tick) => marksOf(world, tick, "p1").marks[0].tail;
  const at = (x) => world.camera.toScreen(planeOf(world.boxes.get("s0"), x, 0));
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
  const { marks } = marksOf(world, 0, "p1");
  const at = (x, y) => world.camera.toScreen(planeOf(world.boxes.get("s0"), x, y));
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
