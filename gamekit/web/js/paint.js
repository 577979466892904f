/**
 * How the map looks: painters for sectors, gates, stations, ships and routes on a 2D canvas. They read the scene and
 * the camera and change nothing but the canvas. What is small on the screen is drawn plainer, or not at all.
 *
 * @import {Id, Route, Station, View} from "./types"
 * @import {Box, Curve, Spot} from "./layout.js"
 * @import {Camera} from "./camera.js"
 */

import { BOX, curveFrom, onCurve, planeOf } from "./layout.js";
import { Labels, paintSectorNames, paintText } from "./labels.js";
import { FONT, PALETTE, paintGlyph } from "./glyphs.js";
import { formatSpan } from "./model.js";

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {{view: View, boxes: Map<Id, Box>, curves: Map<Id, Curve>, camera: Camera}} Scene */
/**
 * A ship on the screen; `tail` is where its trail begins.
 * @typedef {{id: Id, name: string, own: boolean, company: boolean, stuck: boolean, tail?: Spot | null}} Looks
 * @typedef {Spot & {heading: number} & Looks} Mark
 */

/** Width of a sector's box, in pixels, above which stations show how full they are. */
const STOCK_BOX_PX = 150;

/** Width of a sector's box in pixels. @param {Camera} camera */
export function boxPixels(camera) {
  return BOX * camera.sight.scale;
}

/** Radius of a station's glyph in pixels. @param {Camera} camera */
export function glyphRadius(camera) {
  return Math.min(12, Math.max(2.6, boxPixels(camera) * 0.055));
}

/** Half the length of a ship's mark in pixels. @param {Camera} camera @param {boolean} own */
export function shipRadius(camera, own) {
  const size = Math.min(8, Math.max(1.6, boxPixels(camera) * 0.052));
  return own ? Math.max(6, size * 1.3) : size;
}

/** Width of a lane in pixels. @param {Camera} camera */
function laneWidth(camera) {
  return Math.min(4, Math.max(1, camera.sight.scale * 2.3));
}

/**
 * All that stands still: lanes, sectors, gates, stations and their names.
 * @param {Context} ctx
 * @param {Scene} scene
 */
export function paintBase(ctx, scene) {
  const { camera, boxes, view } = scene;
  ctx.clearRect(0, 0, camera.width, camera.height);
  paintLanes(ctx, scene);
  const size = boxPixels(camera);
  const inSight = [...boxes].filter(([, box]) => camera.sees(camera.toScreen(box), size));
  for (const [, box] of inSight) paintBox(ctx, camera.toScreen(box), size);
  const shown = new Set(inSight.map(([id]) => id));
  const labels = new Labels();
  if (size > 30) paintGates(ctx, scene, shown, labels);
  if (namesShown(camera)) {
    const named = inSight.map(([id, box]) => ({ text: view.sectors[id]?.name ?? id, middle: camera.toScreen(box) }));
    const { left, right } = camera.insets;
    paintSectorNames(ctx, size, named, { left, right: camera.width - right });
  }
  paintStations(ctx, scene, shown, labels);
}

/** @param {Context} ctx @param {Scene} scene */
function paintLanes(ctx, { view, curves, camera }) {
  const width = laneWidth(camera);
  for (const [id, gate] of Object.entries(view.gates)) {
    const curve = curves.get(id);
    if (!curve || (id > gate.to && curves.has(gate.to))) continue;
    ctx.strokeStyle = gate.open ? PALETTE.lane : PALETTE.laneClosed;
    ctx.lineWidth = width;
    ctx.setLineDash(gate.open ? [] : [width * 2, width * 3]);
    traceCurve(ctx, camera, curve);
    ctx.stroke();
    if (!gate.open) paintClosed(ctx, camera.toScreen(onCurve(curve, 0.5)), width);
  }
  ctx.setLineDash([]);
}

/** A cross on a lane that lets nobody through. @param {Context} ctx @param {Spot} spot @param {number} width */
function paintClosed(ctx, { x, y }, width) {
  const arm = 3 + width;
  ctx.setLineDash([]);
  ctx.lineWidth = Math.max(1.5, width * 0.8);
  ctx.beginPath();
  ctx.moveTo(x - arm, y - arm);
  ctx.lineTo(x + arm, y + arm);
  ctx.moveTo(x + arm, y - arm);
  ctx.lineTo(x - arm, y + arm);
  ctx.stroke();
}

/** @param {Context} ctx @param {Camera} camera @param {Curve} curve */
function traceCurve(ctx, camera, curve) {
  const [a, b, c, d] = curve.map((spot) => camera.toScreen(spot));
  if (!a || !b || !c || !d) return;
  ctx.beginPath();
  ctx.moveTo(a.x, a.y);
  ctx.bezierCurveTo(b.x, b.y, c.x, c.y, d.x, d.y);
}

/** @param {Context} ctx @param {Spot} middle @param {number} size */
function paintBox(ctx, middle, size) {
  const left = middle.x - size / 2;
  const top = middle.y - size / 2;
  ctx.beginPath();
  ctx.roundRect(left, top, size, size, Math.min(14, size * 0.07));
  ctx.globalAlpha = 0.86;
  ctx.fillStyle = PALETTE.box;
  ctx.fill();
  ctx.globalAlpha = 1;
  if (size > 360) paintGrid(ctx, left, top, size);
  ctx.lineWidth = 1;
  ctx.strokeStyle = PALETTE.boxEdge;
  ctx.beginPath();
  ctx.roundRect(left, top, size, size, Math.min(14, size * 0.07));
  ctx.stroke();
}

/**
 * Quarters of the sector, as a hint of scale.
 * @param {Context} ctx
 * @param {number} left
 * @param {number} top
 * @param {number} size
 */
function paintGrid(ctx, left, top, size) {
  ctx.strokeStyle = PALETTE.grid;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const part of [0.25, 0.5, 0.75]) {
    ctx.moveTo(left + size * part, top);
    ctx.lineTo(left + size * part, top + size);
    ctx.moveTo(left, top + size * part);
    ctx.lineTo(left + size, top + size * part);
  }
  ctx.stroke();
}

/** Whether sectors are large enough for their names. @param {Camera} camera */
export function namesShown(camera) {
  return boxPixels(camera) >= 44;
}

/** @param {Context} ctx @param {Scene} scene @param {Set<Id>} shown @param {Labels} labels */
function paintGates(ctx, { view, boxes, curves, camera }, shown, labels) {
  const radius = Math.max(1.6, glyphRadius(camera) * 0.5);
  for (const [id, gate] of Object.entries(view.gates)) {
    const box = boxes.get(gate.sector);
    if (!box || !shown.has(gate.sector)) continue;
    const spot = camera.toScreen(planeOf(box, gate.x, gate.y));
    const colour = gate.open ? PALETTE.lane : PALETTE.laneClosed;
    labels.block(spot.x, spot.y, radius + 3);
    const curve = curves.get(id);
    if (curve && boxPixels(camera) > 56) paintStub(ctx, camera, box, curve, colour);
    ctx.beginPath();
    ctx.arc(spot.x, spot.y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = PALETTE.box;
    ctx.fill();
    ctx.lineWidth = Math.min(2, Math.max(1, radius * 0.4));
    ctx.strokeStyle = gate.open ? PALETTE.name : PALETTE.laneClosed;
    ctx.stroke();
  }
}

/**
 * The part of a lane within its own sector, over the box.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {Box} box
 * @param {Curve} curve
 * @param {string} colour
 */
function paintStub(ctx, camera, box, curve, colour) {
  ctx.beginPath();
  for (let step = 0; step <= 40; step += 1) {
    const on = onCurve(curve, step / 80);
    const { x, y } = camera.toScreen(on);
    if (step) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    if (Math.abs(on.x - box.x) > BOX / 2 || Math.abs(on.y - box.y) > BOX / 2) break;
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = laneWidth(camera);
  ctx.stroke();
}

/** @param {Context} ctx @param {Scene} scene @param {Set<Id>} shown @param {Labels} labels */
function paintStations(ctx, { view, boxes, camera }, shown, labels) {
  const size = boxPixels(camera);
  if (size < 14) return;
  const radius = glyphRadius(camera);
  /** @type {{spot: Spot, station: Station, box: Box}[]} */
  const placed = [];
  for (const station of Object.values(view.stations)) {
    const box = boxes.get(station.sector);
    if (!box || !shown.has(station.sector)) continue;
    const spot = camera.toScreen(planeOf(box, station.x, station.y));
    placed.push({ spot, station, box });
    labels.block(spot.x, spot.y, radius + (size > STOCK_BOX_PX ? 6 : 3));
    if (size < 28) {
      ctx.fillStyle = stationColour(station);
      ctx.fillRect(spot.x - 1, spot.y - 1, 2, 2);
    } else {
      paintGlyph(ctx, station.kind, spot, radius, stationColour(station), station.status);
      if (size > STOCK_BOX_PX) paintStock(ctx, station, spot, radius);
    }
  }
  if (size < 230) return;
  ctx.font = `${Math.min(12.5, size * 0.045)}px ${FONT}`;
  for (const { spot, station, box } of placed) {
    // Most stations are called after their sector, whose name stands above already.
    const sector = view.sectors[station.sector]?.name ?? "";
    const name = station.name.startsWith(`${sector} `) ? station.name.slice(sector.length + 1) : station.name;
    const { x, y } = camera.toScreen(box);
    const frame = { left: x - size / 2, top: y - size / 2, right: x + size / 2, bottom: y + size / 2 };
    const near = labels.spotFor(ctx.measureText(name).width, 13, spot, radius + 9, frame);
    if (near) paintText(ctx, name, near, PALETTE.name);
  }
}

/**
 * How full a station is, from 0 to 1: its stocks in parts of what they may be.
 * @param {Pick<Station, "stock" | "capacity">} station
 */
export function fullness({ stock, capacity }) {
  const parts = Object.entries(capacity ?? {}).map(([ware, most]) => (most ? (stock?.[ware] ?? 0) / most : 0));
  return parts.length ? parts.reduce((sum, part) => sum + part, 0) / parts.length : 0;
}

/**
 * A ring around a station that closes as its stocks fill, from the top clockwise.
 * @param {Context} ctx
 * @param {Station} station
 * @param {Spot} spot
 * @param {number} radius of the glyph
 */
function paintStock(ctx, station, { x, y }, radius) {
  const top = -Math.PI / 2;
  const ring = (/** @type {number} */ part, /** @type {string} */ colour) => {
    ctx.beginPath();
    ctx.arc(x, y, radius + 4.5, top, top + part * 2 * Math.PI);
    ctx.strokeStyle = colour;
    ctx.stroke();
  };
  ctx.lineWidth = 1.5;
  ring(1, PALETTE.boxEdge);
  ring(fullness(station), PALETTE.other);
}

/** @param {Station} station */
function stationColour(station) {
  if (station.status === "starved") return PALETTE.warn;
  if (station.status === "clogged") return PALETTE.bad;
  return PALETTE.station;
}

/**
 * A ship: a dart that points where it goes.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {Mark} mark
 * @param {boolean} selected
 */
export function paintShip(ctx, camera, mark, selected) {
  const radius = shipRadius(camera, mark.own);
  const { x, y } = mark;
  if (mark.tail) {
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    ctx.moveTo(mark.tail.x, mark.tail.y);
    ctx.lineTo(x, y);
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = markColour(mark);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  ctx.save();
  ctx.translate(x, y);
  if (selected) {
    ctx.beginPath();
    ctx.arc(0, 0, radius + 5, 0, 2 * Math.PI);
    ctx.strokeStyle = PALETTE.route;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
  ctx.rotate(mark.heading);
  ctx.beginPath();
  if (radius < 2.5) ctx.arc(0, 0, radius, 0, 2 * Math.PI);
  else {
    ctx.moveTo(radius * 1.15, 0);
    ctx.lineTo(-radius * 0.85, radius * 0.78);
    ctx.lineTo(-radius * 0.45, 0);
    ctx.lineTo(-radius * 0.85, -radius * 0.78);
    ctx.closePath();
  }
  ctx.lineJoin = "round";
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = PALETTE.ground;
  ctx.stroke();
  ctx.fillStyle = markColour(mark);
  ctx.fill();
  ctx.restore();
}

/** Own ships stand out, those of companies stay in the background. @param {Mark} mark */
function markColour({ own, stuck, company }) {
  if (own) return stuck ? PALETTE.warn : PALETTE.own;
  return company ? PALETTE.company : PALETTE.other;
}

/** The frame in which ships are selected. @param {Context} ctx @param {Spot} from @param {Spot} to */
export function paintFrame(ctx, from, to) {
  ctx.setLineDash([5, 4]);
  ctx.lineWidth = 1;
  ctx.strokeStyle = PALETTE.route;
  ctx.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  ctx.setLineDash([]);
}

/**
 * Names beside ships, the selected ones first; a name that has no room is left out.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {Mark[]} marks
 * @param {Set<Id>} selected
 */
export function paintShipNames(ctx, camera, marks, selected) {
  const size = boxPixels(camera);
  ctx.font = `500 12px ${FONT}`;
  const labels = new Labels();
  const chosen = (/** @type {Mark} */ { id }) => selected.has(id);
  for (const mark of [...marks].sort((a, b) => Number(chosen(b)) - Number(chosen(a)))) {
    if (!chosen(mark) && size < (mark.own ? 60 : 420)) continue;
    const offset = shipRadius(camera, mark.own) + (chosen(mark) ? 9 : 5);
    const near = labels.spotFor(ctx.measureText(mark.name).width, 14, mark, offset, null, ["right"]);
    if (near) paintText(ctx, mark.name, near, chosen(mark) ? PALETTE.route : mark.own ? PALETTE.own : PALETTE.other);
  }
}

/**
 * A ship's whole way, with a marker at its end.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {Route} route
 */
export function paintRoute(ctx, { boxes, curves, camera }, route) {
  ctx.strokeStyle = PALETTE.route;
  ctx.lineWidth = 2.5;
  ctx.lineCap = "round";
  for (const part of route.parts) {
    const curve = part.type === "jump" ? curves.get(part.gate) : undefined;
    if (curve && part.type === "jump") traceCurve(ctx, camera, curveFrom(curve, part.along));
    const box = part.type === "line" ? boxes.get(part.sector) : undefined;
    if (box && part.type === "line") {
      const from = camera.toScreen(planeOf(box, ...part.from));
      const to = camera.toScreen(planeOf(box, ...part.to));
      ctx.beginPath();
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(to.x, to.y);
    }
    if (curve || box) ctx.stroke();
  }
  const box = route.end && boxes.get(route.end.sector);
  if (route.end && box) paintGoal(ctx, camera.toScreen(planeOf(box, route.end.x, route.end.y)));
}

/**
 * When a ship will have done each jump and the last step of its way, beside the place.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {Route} route
 * @param {number} tick
 * @param {number} tickHz
 */
export function paintEtas(ctx, { view, boxes, camera }, route, tick, tickHz) {
  if (boxPixels(camera) < 44) return;
  const labels = new Labels();
  ctx.font = `500 11px ${FONT}`;
  for (const [index, part] of route.parts.entries()) {
    const last = index === route.parts.length - 1;
    if (!part.eta || part.eta <= tick || (part.type === "line" && !last)) continue;
    const exit = part.type === "jump" ? view.gates[part.exit] : undefined;
    const box = boxes.get(part.type === "line" ? part.sector : (exit?.sector ?? ""));
    const [x, y] = part.type === "line" ? part.to : [exit?.x ?? 0, exit?.y ?? 0];
    if (!box) continue;
    const spot = camera.toScreen(planeOf(box, x, y));
    const text = formatSpan(part.eta - tick, tickHz);
    // The goal is often a station, with its name and ships beside it.
    const [gap, sides] = last ? [glyphRadius(camera) + 7, ["below", "above"]] : [11, ["right", "left", "below"]];
    const near = labels.spotFor(ctx.measureText(text).width, 13, spot, gap, null, sides);
    if (near) paintText(ctx, text, near, PALETTE.route);
  }
}

/**
 * The goal of an order that waits for the connection: hollow, because nothing flies there yet.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {{sector: Id, x: number, y: number}} goal
 */
export function paintWaitingGoal(ctx, { boxes, camera }, goal) {
  const box = boxes.get(goal.sector);
  if (!box) return;
  const { x, y } = camera.toScreen(planeOf(box, goal.x, goal.y));
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  ctx.arc(x, y, 8, 0, 2 * Math.PI);
  ctx.strokeStyle = PALETTE.warn;
  ctx.lineWidth = 1.8;
  ctx.stroke();
  ctx.setLineDash([]);
}

/** @param {Context} ctx @param {Spot} spot */
function paintGoal(ctx, { x, y }) {
  ctx.beginPath();
  ctx.arc(x, y, 7, 0, 2 * Math.PI);
  ctx.strokeStyle = PALETTE.route;
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(x, y, 2.2, 0, 2 * Math.PI);
  ctx.fillStyle = PALETTE.route;
  ctx.fill();
}

/**
 * A ring around something; it grows and fades as `age` goes from 0 to 1.
 * @param {Context} ctx
 * @param {Spot} spot
 * @param {number} radius
 * @param {number} age
 */
export function paintRing(ctx, { x, y }, radius, age) {
  ctx.globalAlpha = 1 - age;
  ctx.beginPath();
  ctx.arc(x, y, radius * (1 + age), 0, 2 * Math.PI);
  ctx.strokeStyle = age ? PALETTE.route : PALETTE.text;
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/**
 * The edge of the sector under the pointer.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {Box} box
 */
export function paintHoveredBox(ctx, camera, box) {
  const size = boxPixels(camera);
  const { x, y } = camera.toScreen(box);
  ctx.beginPath();
  ctx.roundRect(x - size / 2, y - size / 2, size, size, Math.min(14, size * 0.07));
  ctx.strokeStyle = PALETTE.boxEdgeHover;
  ctx.lineWidth = 1;
  ctx.stroke();
}
