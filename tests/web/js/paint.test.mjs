import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../../gamekit/web/js/camera.js";
import { PALETTE, paintGlyphs } from "../../../gamekit/web/js/glyphs.js";
import { Ground } from "../../../gamekit/web/js/ground.js";
import { Labels } from "../../../gamekit/web/js/labels.js";
import { boundsOf, onCurve, planeOf } from "../../../gamekit/web/js/layout.js";
import { Marks } from "../../../gamekit/web/js/marks.js";
import { routeOf } from "../../../gamekit/web/js/model.js";
import { paintBase } from "../../../gamekit/web/js/paint.js";
import { paintEtas, paintRoutes, paintShips } from "../../../gamekit/web/js/paintlive.js";
import { boxPixels } from "../../../gamekit/web/js/sizes.js";

/** A canvas that writes down what is drawn, with the colour, width and dash that it has then. */
class Paper {
  constructor() {
    this.drawn = [];
    this.texts = [];
    this.path = [];
    this.dash = [];
    for (const name of ["moveTo", "lineTo", "arc", "bezierCurveTo", "rect", "roundRect"])
      this[name] = (...at) => this.path.push([name, ...at]);
  }

  beginPath() {
    this.path = [];
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  measureText(text) {
    return { width: 6 * text.length };
  }

  strokeText() {}

  fillText(text, x, y) {
    this.texts.push({ text, x, y });
  }

  fill() {
    this.drawn.push({ act: "fill", style: this.fillStyle, path: this.path });
  }

  stroke() {
    const { strokeStyle: style, lineWidth: width, dash, path } = this;
    this.drawn.push({ act: "stroke", style, width, dash, path });
  }

  strokes(style) {
    return this.drawn.filter((one) => one.act === "stroke" && one.style === style && one.path.length);
  }
}

const STATION = { stock: {}, capacity: {}, price: {}, buys: [], sells: [], status: "working" };

/** Two sectors with a lane between them, large on the screen. */
function world(stations = {}, gate = {}) {
  const sectors = {
    left: { name: "Left", x: 0, y: 0, size_m: 2000, gates: ["out"] },
    right: { name: "Right", x: 10, y: 0, size_m: 2000, gates: ["back"] },
  };
  const gates = {
    out: { sector: "left", x: 900, y: 100, to: "back", to_sector: "right", open: true, ...gate },
    back: { sector: "right", x: -900, y: -100, to: "out", to_sector: "left", open: true, ...gate },
  };
  const view = { sectors, gates, stations, ships: {}, players: {} };
  const ground = new Ground();
  ground.layout(view);
  ground.refresh(view);
  const camera = new Camera();
  Object.assign(camera, { width: 900, height: 600 });
  camera.go(camera.sightOf(boundsOf(ground.boxes.values())));
  ground.look(camera, 0);
  const spot = (sector, x, y) => camera.toScreen(planeOf(ground.boxes.get(sector), x, y));
  return { view, ground, camera, spot };
}

function painted(scene) {
  const paper = new Paper();
  paintBase(paper, scene);
  return paper;
}

test("stations are told apart by their shapes, and their troubles without any colour", () => {
  const looks = (kind, status) => {
    const paper = new Paper();
    paintGlyphs(paper, [{ kind, spot: { x: 50, y: 50 } }], 8, "colour", status);
    return JSON.stringify(paper.drawn.map((one) => ({ ...one, filled: one.style === "colour" })));
  };
  const kinds = ["mine", "plant", "refinery", "factory", "hub", "habitat"];
  assert.equal(new Set(kinds.map((kind) => looks(kind, ""))).size, kinds.length);
  for (const kind of kinds) assert.equal(new Set(["", "starved", "clogged"].map((one) => looks(kind, one))).size, 3);
});

test("a closed lane is dashed and crossed out, an open one is neither", () => {
  const open = painted(world());
  assert.equal(open.strokes(PALETTE.laneClosed).length, 0);
  assert.ok(open.strokes(PALETTE.lanes[0]).every(({ dash }) => !dash.length));

  const scene = world({}, { open: false });
  const strokes = painted(scene).strokes(PALETTE.laneClosed);
  const lane = strokes.find(({ path }) => path.some(([name]) => name === "bezierCurveTo"));
  assert.equal(lane.dash.length, 2);
  const cross = strokes.find(({ path }) => path.length === 4 && path.every(([name]) => name !== "bezierCurveTo"));
  const [a, b, c, d] = cross.path.map(([, x, y]) => ({ x, y }));
  const middle = scene.camera.toScreen(onCurve(scene.ground.passages[0].curve, 0.5));
  for (const [from, to] of [
    [a, b],
    [c, d],
  ]) {
    assert.ok(Math.hypot((from.x + to.x) / 2 - middle.x, (from.y + to.y) / 2 - middle.y) < 1e-6);
    assert.ok(Math.hypot(to.x - from.x, to.y - from.y) > 8);
  }
  assert.ok(Math.abs((b.x - a.x) * (d.x - c.x) + (b.y - a.y) * (d.y - c.y)) < 1e-6, "two arms across each other");
});

test("a lane with more traffic is brighter and broader", () => {
  const scene = world();
  const [quiet] = painted(scene).strokes(PALETTE.lanes[0]);
  scene.ground.passages[0].busy = 3;
  const paper = painted(scene);
  assert.equal(paper.strokes(PALETTE.lanes[0]).length, 0);
  assert.ok(paper.strokes(PALETTE.lanes[3])[0].width > quiet.width);
});

test("a ring around a station is as long as its stocks are full", () => {
  const hub = { ...STATION, name: "Hub", kind: "hub", sector: "left", x: 0, y: 0 };
  const scene = world({ hub: { ...hub, stock: { ore: 75 }, capacity: { ore: 100 } } });
  const { x, y } = scene.spot("left", 0, 0);
  const arcs = painted(scene).drawn.flatMap(({ style, path }) =>
    path.filter(([name, ...at]) => name === "arc" && at[0] === x && at[1] === y).map((arc) => ({ style, arc })),
  );
  const rings = arcs.filter(({ arc }) => arc[4] === -Math.PI / 2).map(({ arc }) => (arc[5] - arc[4]) / (2 * Math.PI));
  assert.deepEqual(rings, [1, 0.75]);
});

test("a flying ship drags a trail, and its mark points ahead", () => {
  const { view, ground, camera, spot } = world();
  const at = { type: "leg", sector: "left", from: [-500, 0], to: [500, 0], depart: 100, arrive: 300 };
  view.ships = { one: { name: "One", owner: "p1", status: "flying", at } };
  const marks = new Marks();
  marks.update(view, ground, "p1");
  marks.place(camera, 200);
  const paper = new Paper();
  paintShips(paper, camera, marks);
  const [trail] = paper.strokes(PALETTE.own);
  const [from, to] = trail.path;
  assert.equal(from[0], "moveTo");
  assert.ok(from[1] < to[1]);
  assert.deepEqual(to, ["lineTo", spot("left", 0, 0).x, spot("left", 0, 0).y]);
  const dart = paper.drawn.find(({ act, style }) => act === "fill" && style === PALETTE.own);
  const xs = dart.path.map(([, x]) => x);
  assert.equal(Math.max(...xs), xs[0]);
  assert.ok(xs[0] > to[1]);
});

test("a route goes through the gates, with the time at each of its steps", () => {
  const scene = world();
  const { view, camera, spot } = scene;
  const queue = [
    { id: 1, order: 1, type: "fly", status: "active", sector: "left", x: 900, y: 100, eta: 150 },
    { id: 2, order: 1, type: "jump", status: "queued", gate: "out", exit: "back", eta: 200 },
    { id: 3, order: 1, type: "fly", status: "queued", sector: "right", x: 500, y: 700, eta: 1000 },
  ];
  const at = { type: "leg", sector: "left", from: [0, 0], to: [900, 100], depart: 0, arrive: 150 };
  const route = routeOf(view, { name: "One", owner: "p1", status: "flying", at, queue }, 50);
  const paper = new Paper();
  paintRoutes(paper, scene, [route]);
  const [way] = paper.strokes(PALETTE.route);
  assert.deepEqual(
    way.path.map(([name]) => name),
    ["moveTo", "lineTo", "moveTo", "bezierCurveTo", "moveTo", "lineTo"],
  );
  paintEtas(paper, scene, route, 50, 10, new Labels());
  assert.deepEqual(
    paper.texts.map(({ text }) => text),
    ["15 s", "1:35"],
  );
  for (const [index, place] of [spot("right", -900, -100), spot("right", 500, 700)].entries()) {
    const { x, y } = paper.texts[index];
    assert.ok(Math.hypot(x - place.x, y - place.y) < 60, "beside its place");
  }
  assert.ok(camera.sight.scale > 1);
});

test("at overview zoom sectors have their names where there is room, and none covers anything", () => {
  for (const [columns, rows] of [
    [3, 3],
    [20, 20],
    [32, 31],
  ]) {
    const sectors = {};
    for (let x = 0; x < columns; x++)
      for (let y = 0; y < rows; y++)
        sectors[`s${x}-${y}`] = { name: `Sector ${x} ${y}`, x: 300 * x, y: 300 * y, size_m: 2000, gates: [] };
    const view = { sectors, gates: {}, stations: {}, ships: {}, players: {} };
    const ground = new Ground();
    ground.layout(view);
    ground.refresh(view);
    const camera = new Camera();
    Object.assign(camera, { width: 900, height: 600 });
    camera.go(camera.sightOf(boundsOf(ground.boxes.values())));
    // As far out as one sees everything, and boxes are too small for names of their own.
    if (boxPixels(camera) >= 44) camera.sight.scale *= 40 / boxPixels(camera);
    const paper = new Paper();
    for (const zone of ground.zones.values()) zone.seen = true;
    const names = paintBase(paper, { view, ground, camera });
    assert.ok(names.length >= 3, `${columns} x ${rows}: ${names.length} names`);
    assert.equal(names.length, paper.texts.length);
    const half = boxPixels(camera) / 2;
    const boxes = [...ground.zones.values()].map(({ box }) => {
      const { x, y } = camera.toScreen(box);
      return { left: x - half, right: x + half, top: y - half, bottom: y + half };
    });
    const meets = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
    for (const [at, name] of names.entries()) {
      assert.ok(name.left >= 0 && name.right <= 900 && name.top >= 0 && name.bottom <= 600);
      assert.ok(!boxes.some((box) => meets(name, box)));
      assert.ok(!names.slice(0, at).some((other) => meets(name, other)));
    }
  }
});
