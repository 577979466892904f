/**
 * What moves on the map: painters for ships with their trails and names, routes with the times at their steps, goals, rings
 * and frames. They read the scene and the camera and change nothing but the canvas.
 *
 * @import {Id, Route} from "./types"
 * @import {Box, Spot} from "./layout.js"
 * @import {Camera} from "./camera.js"
 * @import {Context, Mark, Scene} from "./paint.js"
 */

import { FONT, PALETTE } from "./glyphs.js";
import { Labels, paintText } from "./labels.js";
import { curveFrom, planeOf } from "./layout.js";
import { formatSpan } from "./model.js";
import { boxPixels, glyphRadius, traceCurve } from "./paint.js";

/** Half the length of a ship's mark in pixels. @param {Camera} camera @param {boolean} own */
export function shipRadius(camera, own) {
  const size = Math.min(8, Math.max(1.6, boxPixels(camera) * 0.052));
  return own ? Math.max(6, size * 1.3) : size;
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
  if (boxPixels(camera) < 72) return;
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
