/**
 * Ships on the screen, and what a pointer is over: from the scene and a tick to pixels, and from pixels back to things.
 * Pure; the painters draw the marks, the map decides what a pointer means.
 *
 * @import {Destination, Id, Place, Ship, Target, View} from "./types"
 * @import {Box, Spot} from "./layout.js"
 * @import {Mark, Scene} from "./paint.js"
 */

import { metresOf, onCurve, planeOf } from "./layout.js";
import { placeOf } from "./model.js";
import { boxPixels, glyphRadius } from "./paint.js";

/** Statuses in which a ship waits for something that its owner may want to change. */
const STUCK = new Set(["waiting", "holding"]);
/** How long a ship's trail is, in ticks of its way; and the width of a box, in pixels, above which it is seen. */
const TRAIL_TICKS = 60;
const TRAIL_BOX_PX = 60;
/** Width of a sector's box in pixels below which a pointer finds the sector only. */
const OPEN_BOX_PX = 26;

/**
 * Where every ship is on the screen.
 * @param {Scene} scene
 * @param {number} tick
 * @param {Id | null} player whose ships are own
 * @returns {{marks: Mark[], flying: boolean}} own ships last, to be painted above; whether any is under way
 */
export function marksOf(scene, tick, player) {
  /** How many ships are at each station so far. @type {Map<Id, number>} */
  const docked = new Map();
  let flying = false;
  const trails = boxPixels(scene.camera) > TRAIL_BOX_PX;
  const marks = [];
  for (const [id, ship] of Object.entries(scene.view.ships)) {
    const place = placeOf(scene.view, ship, tick);
    const spot = place && spotOfPlace(scene, place, docked);
    const company = scene.view.players?.[ship.owner]?.company ?? false;
    const own = isOwn(ship, player);
    const tail = spot && trails ? tailOf(scene, ship, tick) : null;
    if (spot) marks.push({ id, name: ship.name, own, company, stuck: STUCK.has(ship.status), tail, ...spot });
    if (place?.moving) flying = true;
  }
  marks.sort((a, b) => Number(a.own) - Number(b.own) || Number(b.company) - Number(a.company));
  return { marks, flying };
}

/**
 * Where a flying ship's trail begins: where it was a while ago on the same leg.
 * @param {Scene} scene
 * @param {Ship} ship
 * @param {number} tick
 * @returns {Spot | null}
 */
function tailOf({ view, boxes, camera }, ship, tick) {
  if (ship.at.type !== "leg" || tick >= ship.at.arrive) return null;
  const place = placeOf(view, ship, Math.max(ship.at.depart, tick - TRAIL_TICKS));
  const box = place?.type === "sector" ? boxes.get(place.sector) : undefined;
  return place?.type === "sector" && box ? camera.toScreen(planeOf(box, place.x, place.y)) : null;
}

/** @param {Ship} ship @param {Id | null} player */
function isOwn(ship, player) {
  return player !== null && ship.owner === player;
}

/**
 * @param {Scene} scene
 * @param {Place} place
 * @param {Map<Id, number>} docked
 * @returns {{x: number, y: number, heading: number} | null} pixels, radians
 */
function spotOfPlace({ boxes, curves, camera }, place, docked) {
  if (place.type === "gate") {
    const curve = curves.get(place.gate);
    const on = curve && onCurve(curve, place.along);
    return on ? { ...camera.toScreen(on), heading: on.heading } : null;
  }
  const box = boxes.get(place.sector);
  if (!box) return null;
  const spot = camera.toScreen(planeOf(box, place.x, place.y));
  if (place.station === null) return { ...spot, heading: place.heading ?? -Math.PI / 2 };
  // Docked ships stand around their station, so that each can be seen and clicked.
  const index = docked.get(place.station) ?? 0;
  docked.set(place.station, index + 1);
  const angle = -Math.PI / 4 + index * (Math.PI / 4);
  const distance = glyphRadius(camera) + Math.min(9, boxPixels(camera) * 0.07) + 9 * Math.floor(index / 8);
  return { x: spot.x + Math.cos(angle) * distance, y: spot.y + Math.sin(angle) * distance, heading: angle };
}

/**
 * What is at a spot of the screen: the nearest small thing within reach, else the sector.
 * @param {Scene} scene
 * @param {Mark[]} marks
 * @param {Spot} spot
 * @param {number} reach pixels
 * @returns {Target | null}
 */
export function targetAt(scene, marks, spot, reach) {
  // In a small box nearly everything is near to something: what stands still must be hit more exactly there.
  const exact = Math.min(reach, Math.max(8, boxPixels(scene.camera) * 0.16));
  let best = reach;
  /** @type {Target | null} */
  let found = null;
  const offer = (/** @type {Target} */ target, /** @type {Spot} */ at, /** @type {number} */ bonus) => {
    const distance = Math.hypot(at.x - spot.x, at.y - spot.y) - bonus;
    if (distance >= best) return;
    best = distance;
    found = target;
  };
  for (const mark of marks) offer({ type: "ship", id: mark.id }, mark, mark.own ? 4 : 0);
  const plane = scene.camera.toPlane(spot);
  for (const [id, box] of scene.boxes) {
    const inside = metresOf(box, plane);
    if (!inside) continue;
    best = Math.min(best, exact);
    if (boxPixels(scene.camera) > OPEN_BOX_PX) offerContents(scene, id, box, offer);
    return found ?? { type: "sector", id, ...inside };
  }
  return found;
}

/**
 * @param {Scene} scene
 * @param {Id} sector
 * @param {Box} box
 * @param {(target: Target, at: Spot, bonus: number) => void} offer
 */
function offerContents({ view, camera }, sector, box, offer) {
  for (const id of view.sectors[sector]?.gates ?? []) {
    const gate = view.gates[id];
    if (gate) offer({ type: "gate", id }, camera.toScreen(planeOf(box, gate.x, gate.y)), 0);
  }
  for (const [id, station] of Object.entries(view.stations)) {
    if (station.sector === sector)
      offer({ type: "station", id }, camera.toScreen(planeOf(box, station.x, station.y)), 1);
  }
}

/**
 * The place to send a ship to for a target; null for a ship, which is no place.
 * A gate of which nobody can say where it leads is a place to go through.
 * @param {Target} target
 * @param {View} view
 * @returns {Destination | null}
 */
export function destinationOf(target, view) {
  if (target.type === "station") return { station: target.id };
  if (target.type === "gate") {
    return view.gates[target.id]?.to_sector === null ? { gate: target.id, through: true } : { gate: target.id };
  }
  return target.type === "sector" ? { sector: target.id, x: target.x, y: target.y } : null;
}
