/**
 * How the map's ground looks: painters for sectors, gates and stations on a 2D canvas; what moves is in `paintlive.js`. They
 * read the scene and the camera and change nothing but the canvas. What looks alike is gathered into one path, for a
 * stroke costs far more than a line; what is small on the screen is drawn plainer, or not at all.
 *
 * @import {Gate, Station, View} from "./types"
 * @import {Bounds, Box, Curve, Spot} from "./layout.js"
 * @import {Camera} from "./camera.js"
 * @import {Ground, Lane, Zone} from "./ground.js"
 */

import { onCurve, planeOf } from "./layout.js";
import { Labels, paintSectorNames, paintText } from "./labels.js";
import { FONT, PALETTE, paintGlyphs } from "./glyphs.js";
import { paintNamesWithRoom } from "./overview.js";
import { boxPixels, glyphRadius, namesShown, USEFUL_BOX_PX } from "./sizes.js";

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {{view: View, ground: Ground, camera: Camera}} Scene */

/** Width of a sector's box, in pixels, above which stations show how full they are. */
const STOCK_BOX_PX = 150;
/** In how many steps a ring shows how full a station is. */
export const STOCK_STEPS = 48;

/** Width of a lane in pixels. @param {Camera} camera @param {number} busy */
function laneWidth(camera, busy) {
  return Math.min(4, Math.max(1, camera.sight.scale * 2.1)) + busy * 0.3;
}

/**
 * All that stands still: lanes, sectors, gates, stations and their names, as far as the ground says that it is in sight.
 * @param {Context} ctx
 * @param {Scene} scene
 * @returns {Bounds[]} where the sectors' names stand, in pixels
 */
export function paintBase(ctx, scene) {
  const { camera, ground, view } = scene;
  const size = boxPixels(camera);
  const zones = [...ground.zones.values()].filter(({ seen }) => seen);
  const lanes = ground.passages.filter(({ seen }) => seen);
  paintLanes(ctx, camera, lanes);
  paintBoxes(ctx, camera, zones, size);
  const labels = new Labels();
  if (size > 30) paintGates(ctx, scene, zones, labels);
  const named = zones.map(({ id, box }) => ({ text: view.sectors[id]?.name ?? id, middle: camera.toScreen(box) }));
  const { left, top, right, bottom } = camera.insets;
  const frame = { left, top, right: camera.width - right, bottom: camera.height - bottom };
  const names = namesShown(camera)
    ? paintSectorNames(ctx, size, named, frame)
    : paintNamesWithRoom(ctx, size, named, frame);
  if (size >= 14) paintStations(ctx, scene, zones, labels);
  return names;
}

/** How lanes of one sort look. @param {Context} ctx @param {Camera} camera @param {{open: boolean, busy: number}} lane */
function dipForLane(ctx, camera, { open, busy }) {
  const width = laneWidth(camera, open ? busy : 0);
  ctx.lineWidth = width;
  ctx.lineCap = "butt";
  ctx.strokeStyle = open ? (PALETTE.lanes[busy] ?? PALETTE.lane) : PALETTE.laneClosed;
  ctx.setLineDash(open ? [] : [width * 2, width * 3]);
}

/**
 * Stroke curves in one go for each look that lanes have.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {{lane: Lane, curve: Curve}[]} curves
 */
function strokeLanes(ctx, camera, curves) {
  /** @type {Map<number, {lane: Lane, curve: Curve}[]>} */
  const sorts = new Map();
  for (const one of curves) {
    const sort = one.lane.open ? one.lane.busy : -1;
    const held = sorts.get(sort);
    if (held) held.push(one);
    else sorts.set(sort, [one]);
  }
  for (const sort of [0, 1, 2, 3, -1]) {
    const [first] = sorts.get(sort) ?? [];
    if (!first) continue;
    dipForLane(ctx, camera, first.lane);
    ctx.beginPath();
    for (const { curve } of sorts.get(sort) ?? []) traceCurve(ctx, camera, curve);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/** @param {Context} ctx @param {Camera} camera @param {Lane[]} lanes */
function paintLanes(ctx, camera, lanes) {
  strokeLanes(
    ctx,
    camera,
    lanes.map((lane) => ({ lane, curve: lane.curve })),
  );
  const closed = lanes.filter(({ open }) => !open);
  if (!closed.length) return;
  // A cross on a lane that lets nobody through.
  const width = laneWidth(camera, 0);
  const arm = 3 + width;
  ctx.lineWidth = Math.max(1.5, width * 0.8);
  ctx.strokeStyle = PALETTE.laneClosed;
  ctx.beginPath();
  for (const { curve } of closed) {
    const { x, y } = camera.toScreen(onCurve(curve, 0.5));
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x + arm, y - arm);
    ctx.lineTo(x - arm, y + arm);
  }
  ctx.stroke();
}

/** Add a curve to the path. @param {Context} ctx @param {Camera} camera @param {Curve} curve */
export function traceCurve(ctx, camera, curve) {
  const [a, b, c, d] = curve;
  const { scale } = camera.sight;
  const shiftX = camera.middleX - camera.sight.x * scale;
  const shiftY = camera.middleY - camera.sight.y * scale;
  ctx.moveTo(a.x * scale + shiftX, a.y * scale + shiftY);
  ctx.bezierCurveTo(
    b.x * scale + shiftX,
    b.y * scale + shiftY,
    c.x * scale + shiftX,
    c.y * scale + shiftY,
    d.x * scale + shiftX,
    d.y * scale + shiftY,
  );
}

/** @param {Context} ctx @param {Camera} camera @param {Zone[]} zones @param {number} size */
function paintBoxes(ctx, camera, zones, size) {
  ctx.beginPath();
  for (const { box } of zones) {
    const { x, y } = camera.toScreen(box);
    if (size < 24) ctx.rect(x - size / 2, y - size / 2, size, size);
    else ctx.roundRect(x - size / 2, y - size / 2, size, size, Math.min(14, size * 0.07));
  }
  ctx.globalAlpha = 0.86;
  // From far away a sector is a speck, which must be seen against the ground.
  ctx.fillStyle = size < 24 ? PALETTE.boxEdge : PALETTE.box;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
  ctx.strokeStyle = PALETTE.boxEdge;
  ctx.stroke();
  if (size <= 360) return;
  // Quarters of the sectors, as a hint of scale.
  ctx.strokeStyle = PALETTE.grid;
  ctx.beginPath();
  for (const { box } of zones) {
    const [left, top] = [camera.toScreen(box).x - size / 2, camera.toScreen(box).y - size / 2];
    for (const part of [0.25, 0.5, 0.75]) {
      ctx.moveTo(left + size * part, top + 1);
      ctx.lineTo(left + size * part, top + size - 1);
      ctx.moveTo(left + 1, top + size * part);
      ctx.lineTo(left + size - 1, top + size * part);
    }
  }
  ctx.stroke();
}

/** @param {Context} ctx @param {Scene} scene @param {Zone[]} zones @param {Labels} labels */
function paintGates(ctx, { view, ground, camera }, zones, labels) {
  const radius = Math.max(1.6, glyphRadius(camera) * 0.5);
  /** @type {{gate: Gate, spot: Spot}[]} */
  const shown = [];
  const stubs = [];
  for (const { box, gates } of zones) {
    for (const id of gates) {
      const gate = view.gates[id];
      if (!gate) continue;
      const spot = camera.toScreen(planeOf(box, gate.x, gate.y));
      labels.block(spot.x, spot.y, radius + 3);
      shown.push({ gate, spot });
      const [lane, curve] = [ground.lanes.get(id), ground.stubs.get(id)];
      if (lane && curve) stubs.push({ lane, curve });
    }
  }
  // The part of a lane within its own sector goes over the box.
  if (boxPixels(camera) > 56) strokeLanes(ctx, camera, stubs);
  for (const open of [true, false]) {
    ctx.beginPath();
    for (const { gate, spot } of shown) {
      if (gate.open !== open) continue;
      ctx.moveTo(spot.x + radius, spot.y);
      ctx.arc(spot.x, spot.y, radius, 0, 2 * Math.PI);
    }
    ctx.fillStyle = PALETTE.box;
    ctx.fill();
    ctx.lineWidth = Math.min(2, Math.max(1, radius * 0.4));
    ctx.strokeStyle = open ? PALETTE.name : PALETTE.laneClosed;
    ctx.stroke();
  }
}

/** @typedef {{kind: string, spot: Spot, station: Station, box: Box}} Placed */

/** @param {Context} ctx @param {Scene} scene @param {Zone[]} zones @param {Labels} labels */
function paintStations(ctx, { view, camera }, zones, labels) {
  const size = boxPixels(camera);
  const radius = glyphRadius(camera);
  /** @type {Placed[]} */
  const placed = [];
  for (const { box, stations } of zones) {
    for (const id of stations) {
      const station = view.stations[id];
      if (!station) continue;
      const spot = camera.toScreen(planeOf(box, station.x, station.y));
      placed.push({ kind: station.kind, spot, station, box });
      labels.block(spot.x, spot.y, radius + (size > STOCK_BOX_PX ? 6 : 3));
    }
  }
  for (const status of ["", "starved", "clogged"]) {
    const alike = placed.filter(({ station }) => troubleOf(station) === status);
    if (size < USEFUL_BOX_PX) paintSpecks(ctx, alike, colourOf(status));
    else paintGlyphs(ctx, alike, radius, colourOf(status), status);
  }
  if (size > STOCK_BOX_PX) paintStocks(ctx, placed, radius);
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

/** Stations as dots, where there is no room for a shape. @param {Context} ctx @param {Placed[]} placed @param {string} colour */
function paintSpecks(ctx, placed, colour) {
  if (!placed.length) return;
  ctx.beginPath();
  for (const { spot } of placed) ctx.rect(spot.x - 1, spot.y - 1, 2, 2);
  ctx.fillStyle = colour;
  ctx.fill();
}

/**
 * How full a station is, from 0 to 1: its stocks in parts of what they may be.
 * @param {Pick<Station, "stock" | "capacity">} station
 */
export function fullness({ stock, capacity }) {
  let [sum, count] = [0, 0];
  for (const ware in capacity) {
    sum += capacity[ware] ? (stock?.[ware] ?? 0) / capacity[ware] : 0;
    count += 1;
  }
  return count ? sum / count : 0;
}

/**
 * Rings around stations that close as their stocks fill, from the top clockwise.
 * @param {Context} ctx
 * @param {Placed[]} placed
 * @param {number} radius of the glyph
 */
function paintStocks(ctx, placed, radius) {
  const top = -Math.PI / 2;
  const around = radius + 4.5;
  ctx.lineWidth = 1.5;
  for (const whole of [true, false]) {
    ctx.beginPath();
    for (const { spot, station } of placed) {
      const part = whole ? 1 : Math.round(fullness(station) * STOCK_STEPS) / STOCK_STEPS;
      ctx.moveTo(spot.x, spot.y - around);
      ctx.arc(spot.x, spot.y, around, top, top + part * 2 * Math.PI);
    }
    ctx.strokeStyle = whole ? PALETTE.boxEdge : PALETTE.name;
    ctx.stroke();
  }
}

/** @param {Station} station */
function troubleOf({ status }) {
  return status === "starved" || status === "clogged" ? status : "";
}

/** @param {string} trouble */
function colourOf(trouble) {
  return trouble === "starved" ? PALETTE.warn : trouble === "clogged" ? PALETTE.bad : PALETTE.station;
}

/**
 * What of a station can be seen on the ground, in one number: the ground is painted anew only when it is another.
 * @param {Station} station
 * @param {Camera} camera
 */
export function looksOf(station, camera) {
  const trouble = ["", "starved", "clogged"].indexOf(troubleOf(station));
  if (boxPixels(camera) <= STOCK_BOX_PX) return trouble;
  return trouble + 4 * Math.round(fullness(station) * STOCK_STEPS);
}
