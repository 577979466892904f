/**
 * What a pointer is over: from pixels back to things. Pure; the map decides what a pointer means.
 *
 * @import {Destination, Id, Target, View} from "./types"
 * @import {Spot} from "./layout.js"
 * @import {Mark} from "./marks.js"
 * @import {Scene} from "./paint.js"
 */

import { metresOf, planeOf } from "./layout.js";
import { boxPixels } from "./sizes.js";

/** Width of a sector's box in pixels below which a pointer finds the sector only. */
const OPEN_BOX_PX = 26;

/**
 * What is at a spot of the screen: the nearest small thing within reach, else the sector.
 * @param {Scene} scene
 * @param {Iterable<Mark>} marks placed for this moment
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
  const offer = (
    /** @type {"ship" | "gate" | "station"} */ type,
    /** @type {Id} */ id,
    /** @type {Spot} */ at,
    /** @type {number} */ bonus,
  ) => {
    const distance = Math.hypot(at.x - spot.x, at.y - spot.y) - bonus;
    if (distance >= best) return;
    best = distance;
    found = { type, id };
  };
  for (const mark of marks) {
    if (mark.seen && Math.abs(mark.x - spot.x) < reach + 5) offer("ship", mark.id, mark, mark.own ? 4 : 0);
  }
  const plane = scene.camera.toPlane(spot);
  for (const { id, box, stations, gates } of scene.ground.zones.values()) {
    const inside = metresOf(box, plane);
    if (!inside) continue;
    best = Math.min(best, exact);
    const { view, camera } = scene;
    if (boxPixels(camera) > OPEN_BOX_PX) {
      for (const gate of gates) {
        const held = view.gates[gate];
        if (held) offer("gate", gate, camera.toScreen(planeOf(box, held.x, held.y)), 0);
      }
      for (const station of stations) {
        const held = view.stations[station];
        if (held) offer("station", station, camera.toScreen(planeOf(box, held.x, held.y)), 1);
      }
    }
    return found ?? { type: "sector", id, ...inside };
  }
  return found;
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
