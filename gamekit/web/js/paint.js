/**
 * How the map's ground looks: painters for sectors, gates and stations on a 2D canvas; what moves is in `paintlive.js`. They
 * read the scene and the camera and change nothing but the canvas. What is small on the screen is drawn plainer, or not
 * at all.
 *
 * @import {Id, Station, View} from "./types"
 * @import {Box, Curve, Spot} from "./layout.js"
 * @import {Camera} from "./camera.js"
 */

import { BOX, onCurve, planeOf } from "./layout.js";
import { Labels, paintSectorNames, paintText } from "./labels.js";
import { FONT, PALETTE, paintGlyph } from "./glyphs.js";

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
    if (!curve || (gate.to !== null && id > gate.to && curves.has(gate.to))) continue;
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
export function traceCurve(ctx, camera, curve) {
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
