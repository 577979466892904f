/**
 * What moves on the map: painters for ships with their trails and names, routes with the times at their steps, goals, rings
 * and frames. They read the scene and the camera and change nothing but the canvas. Ships of one kind are one path,
 * however many there are.
 *
 * @import {Id, Route} from "./types"
 * @import {Box, Spot} from "./layout.js"
 * @import {Camera} from "./camera.js"
 * @import {Zone} from "./ground.js"
 * @import {Mark, Marks} from "./marks.js"
 * @import {Context, Scene} from "./paint.js"
 */

import { FONT, PALETTE } from "./glyphs.js";
import { Labels, paintText } from "./labels.js";
import { curveFrom, onCurve, planeOf } from "./layout.js";
import { BERTHS, OWN, STUCK } from "./marks.js";
import { formatSpan } from "./model.js";
import { traceCurve } from "./paint.js";
import { boxPixels, glyphRadius, shipRadius } from "./sizes.js";

/** Own ships stand out, those of companies stay in the background: the colours by kind. */
const COLOURS = [PALETTE.company, PALETTE.other, PALETTE.own, PALETTE.warn];
/** Above so many ships in sight those of others are plain small triangles, without trails and dark edges. */
const CROWD = 400;
/** Half the length of a mark in a crowd, in pixels. */
const CROWD_PX = 3.6;
/** How many ships have their names written at most, besides the selected ones. */
const NAMED = 60;
const CROWD_SIDES = ["below", "above"];
const NAME_SIDES = ["right", "left", "above right", "below right", "above left", "below left", "above", "below"];

/**
 * All ships in sight: trails below, then kind by kind, the user's own last.
 * @param {Context} ctx
 * @param {Camera} camera
 * @param {Marks} marks
 */
export function paintShips(ctx, camera, marks) {
  for (let kind = 0; kind < marks.kinds.length; kind += 1) {
    const alike = marks.kinds[kind] ?? [];
    if (!alike.length) continue;
    const colour = COLOURS[kind] ?? PALETTE.other;
    const crowd = kind < OWN && marks.drawn > CROWD;
    const radius = crowd ? Math.min(CROWD_PX, shipRadius(camera, false)) : shipRadius(camera, kind >= OWN);
    let [seen, trailing] = [false, false];
    ctx.beginPath();
    for (const mark of alike) {
      seen ||= mark.seen;
      if (!mark.seen || !mark.trails || crowd) continue;
      trailing = true;
      ctx.moveTo(mark.tailX, mark.tailY);
      ctx.lineTo(mark.x, mark.y);
    }
    if (!seen) continue;
    if (trailing) {
      ctx.globalAlpha = 0.45;
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = colour;
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    ctx.beginPath();
    for (const mark of alike) if (mark.seen) traceShip(ctx, mark, radius, crowd);
    if (radius > 2.5 && !crowd) {
      ctx.lineJoin = ctx.lineCap = "round";
      ctx.lineWidth = 2.5;
      ctx.strokeStyle = PALETTE.ground;
      ctx.stroke();
    }
    ctx.fillStyle = colour;
    ctx.fill();
  }
}

/** A dart that points where the ship goes; a dot where it would be too small for one. @param {Context} ctx @param {Mark} mark @param {number} radius @param {boolean} plain */
function traceShip(ctx, mark, radius, plain) {
  const { x, y } = mark;
  if (radius < 2.5) {
    ctx.rect(x - radius, y - radius, radius * 2, radius * 2);
    return;
  }
  const alongX = mark.aheadX * radius;
  const alongY = mark.aheadY * radius;
  // Not `closePath`: it looks at the whole path each time, which takes longer than all else with two thousand ships.
  ctx.moveTo(x + alongX * 1.15, y + alongY * 1.15);
  ctx.lineTo(x - alongX * 0.85 - alongY * 0.78, y - alongY * 0.85 + alongX * 0.78);
  if (!plain) ctx.lineTo(x - alongX * 0.45, y - alongY * 0.45);
  ctx.lineTo(x - alongX * 0.85 + alongY * 0.78, y - alongY * 0.85 - alongX * 0.78);
  ctx.lineTo(x + alongX * 1.15, y + alongY * 1.15);
}

/** Rings around the selected ships. @param {Context} ctx @param {Camera} camera @param {Mark[]} chosen */
export function paintChosen(ctx, camera, chosen) {
  ctx.beginPath();
  for (const mark of chosen) {
    const radius = shipRadius(camera, mark.own) + 5;
    ctx.moveTo(mark.x + radius, mark.y);
    ctx.arc(mark.x, mark.y, radius, 0, 2 * Math.PI);
  }
  ctx.strokeStyle = PALETTE.route;
  ctx.lineWidth = 1.5;
  ctx.stroke();
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
 * @param {Scene} scene
 * @param {Marks} marks
 * @param {Mark[]} chosen
 * @param {Labels} labels the room that is left
 */
export function paintShipNames(ctx, scene, marks, chosen, labels) {
  const { camera } = scene;
  const size = boxPixels(camera);
  ctx.font = `500 12px ${FONT}`;
  const name = (/** @type {Mark} */ mark, /** @type {number} */ gap, /** @type {string} */ colour) => {
    const offset = shipRadius(camera, mark.own) + gap;
    const near = labels.spotFor(ctx.measureText(mark.name).width, 14, mark, offset, null, NAME_SIDES);
    if (near) paintText(ctx, mark.name, near, colour);
  };
  let left = NAMED;
  /** @type {Set<Zone>} */
  const zones = new Set();
  for (const kind of [OWN, STUCK]) {
    for (const { seen, zone } of marks.kinds[kind] ?? []) if (seen && zone && zones.size < NAMED) zones.add(zone);
  }
  if (size > 40) for (const zone of zones) keepStationsFree(scene, zone, labels);
  for (const mark of chosen) if ((left -= 1) >= 0) name(mark, 9, PALETTE.route);
  for (let kind = marks.kinds.length - 1; kind >= 0; kind -= 1) {
    const own = kind >= OWN;
    if (size < (own ? 60 : 420)) break;
    for (const mark of marks.kinds[kind] ?? []) {
      if (!mark.seen || chosen.includes(mark)) continue;
      if ((left -= 1) < 0) return;
      name(mark, 5, own ? PALETTE.own : PALETTE.other);
    }
  }
}

/**
 * How many ships are docked where not all of them can be seen.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {Marks} marks
 * @param {Labels} labels
 */
export function paintCrowds(ctx, { view, ground, camera }, marks, labels) {
  if (boxPixels(camera) < 150) return;
  ctx.font = `500 11px ${FONT}`;
  for (const [id, count] of marks.docked) {
    const station = count > BERTHS ? view.stations[id] : undefined;
    const zone = station && ground.zones.get(station.sector);
    if (!station || !zone?.seen) continue;
    const spot = camera.toScreen(planeOf(zone.box, station.x, station.y));
    const text = `+${count - BERTHS}`;
    const near = labels.spotFor(ctx.measureText(text).width, 13, spot, glyphRadius(camera) + 15, null, CROWD_SIDES);
    if (near) paintText(ctx, text, near, PALETTE.other);
  }
}

/**
 * How long storms will keep lanes closed, beside their crosses.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {number} tick
 * @param {number} tickHz
 * @param {Labels} labels
 */
export function paintStorms(ctx, { view, ground, camera }, tick, tickHz, labels) {
  if (boxPixels(camera) < 56) return;
  ctx.font = `500 11px ${FONT}`;
  for (const lane of ground.passages) {
    if (lane.open || !lane.seen) continue;
    const until = view.gates[lane.gate]?.storm_until;
    if (until == null || until <= tick) continue;
    const text = `storm ${formatSpan(until - tick, tickHz)}`;
    const { x, y, heading } = onCurve(lane.curve, 0.5);
    const spot = camera.toScreen({ x, y });
    const sides = Math.abs(Math.cos(heading)) > 0.6 ? GOAL_SIDES : GATE_SIDES;
    const near = labels.spotFor(ctx.measureText(text).width, 13, spot, 9, null, sides);
    if (near) paintText(ctx, text, near, PALETTE.bad);
  }
}

/**
 * The whole ways of ships, with a marker at each end.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {Route[]} routes
 */
export function paintRoutes(ctx, { ground, camera }, routes) {
  if (!routes.length) return;
  ctx.strokeStyle = PALETTE.route;
  ctx.lineWidth = 2.5;
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.beginPath();
  for (const { parts } of routes) {
    for (const part of parts) {
      const curve = part.type === "jump" ? ground.curves.get(part.gate) : undefined;
      if (curve && part.type === "jump") traceCurve(ctx, camera, curveFrom(curve, part.along));
      const box = part.type === "line" ? ground.boxes.get(part.sector) : undefined;
      if (!box || part.type !== "line") continue;
      const from = camera.toScreen(planeOf(box, ...part.from));
      const to = camera.toScreen(planeOf(box, ...part.to));
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(to.x, to.y);
    }
  }
  ctx.stroke();
  for (const { end } of routes) {
    const box = end && ground.boxes.get(end.sector);
    if (end && box) paintGoal(ctx, camera.toScreen(planeOf(box, end.x, end.y)));
  }
}

/** Sides for the times beside gates; a corner is often free where lines and stations take the others. */
const GATE_SIDES = ["right", "left", "above right", "below right", "above left", "below left", "below", "above"];
const GOAL_SIDES = ["below", "above", "below right", "below left", "above right", "above left"];

/**
 * When a ship will have done each jump and the last step of its way, beside the place.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {Route} route
 * @param {number} tick
 * @param {number} tickHz
 * @param {Labels} labels the room that is left
 */
export function paintEtas(ctx, scene, route, tick, tickHz, labels) {
  const { view, ground, camera } = scene;
  const size = boxPixels(camera);
  if (size < 24) return;
  ctx.font = `500 11px ${FONT}`;
  keepRouteFree(scene, route, labels);
  for (const [index, part] of route.parts.entries()) {
    const last = index === route.parts.length - 1;
    if (!part.eta || part.eta <= tick || (!last && (part.type === "line" || size < 72))) continue;
    const exit = part.type === "jump" ? view.gates[part.exit] : undefined;
    const box = ground.boxes.get(part.type === "line" ? part.sector : (exit?.sector ?? ""));
    const [x, y] = part.type === "line" ? part.to : [exit?.x ?? 0, exit?.y ?? 0];
    if (!box) continue;
    const spot = camera.toScreen(planeOf(box, x, y));
    const text = formatSpan(part.eta - tick, tickHz);
    // The goal is often a station, with its name and ships beside it.
    const [gap, sides] = last ? [Math.max(11, glyphRadius(camera) + 7), GOAL_SIDES] : [9, GATE_SIDES];
    const width = ctx.measureText(text).width;
    const near = labels.spotFor(width, 13, spot, gap, null, sides) ?? { x: spot.x + gap, y: spot.y };
    paintText(ctx, text, near, PALETTE.route);
  }
}

/**
 * Keep the stations and the gates along a route, and its own line, free of texts.
 * @param {Scene} scene
 * @param {Route} route
 * @param {Labels} labels
 */
function keepRouteFree({ view, ground, camera }, { parts }, labels) {
  /** @type {Set<Id>} */
  const sectors = new Set();
  for (const part of parts) {
    if (part.type === "jump") {
      for (const gate of [part.gate, part.exit]) sectors.add(view.gates[gate]?.sector ?? "");
      const curve = ground.curves.get(part.gate);
      for (let t = 0.06; curve && t < 1; t += 0.06) {
        const { x, y } = camera.toScreen(onCurve(curve, t));
        labels.block(x, y, 3);
      }
      continue;
    }
    sectors.add(part.sector);
    const box = ground.boxes.get(part.sector);
    if (!box) continue;
    const [from, to] = [camera.toScreen(planeOf(box, ...part.from)), camera.toScreen(planeOf(box, ...part.to))];
    const count = Math.min(60, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 7));
    for (let i = 1; i < count; i += 1)
      labels.block(from.x + ((to.x - from.x) * i) / count, from.y + ((to.y - from.y) * i) / count, 3);
  }
  for (const sector of sectors) {
    const zone = ground.zones.get(sector);
    if (zone) keepStationsFree({ view, ground, camera }, zone, labels);
  }
}

/** Keep a sector's stations free of texts. @param {Scene} scene @param {Zone} zone @param {Labels} labels */
function keepStationsFree({ view, camera }, zone, labels) {
  const radius = glyphRadius(camera) + 1;
  for (const id of zone.stations) {
    const station = view.stations[id];
    const spot = station && camera.toScreen(planeOf(zone.box, station.x, station.y));
    if (spot) labels.block(spot.x, spot.y, radius);
  }
}

/**
 * The goal of an order that waits for the connection: hollow, because nothing flies there yet.
 * @param {Context} ctx
 * @param {Scene} scene
 * @param {{sector: Id, x: number, y: number}} goal
 */
export function paintWaitingGoal(ctx, { ground, camera }, goal) {
  const box = ground.boxes.get(goal.sector);
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
