/**
 * Paints a map: what stands still when it has changed, what moves in every frame, in the order in which one covers the
 * other. How each thing looks is in `paint.js` and `paintlive.js`.
 *
 * @import {Id} from "./types"
 * @import {Bounds, Spot} from "./layout.js"
 * @import {GalaxyMap} from "./map.js"
 * @import {Mark} from "./marks.js"
 * @import {Context} from "./paint.js"
 */

import { Labels } from "./labels.js";
import { routeOf, spotOf } from "./model.js";
import { looksOf, paintBase } from "./paint.js";
import {
  paintChosen,
  paintCrowds,
  paintEtas,
  paintFrame,
  paintHoveredBox,
  paintRing,
  paintRoutes,
  paintShipNames,
  paintShips,
  paintStorms,
  paintWaitingGoal,
} from "./paintlive.js";
import { glyphRadius } from "./sizes.js";
import { PAD } from "./stage.js";

/** How long the ring at a clicked place is seen, in milliseconds. */
const RING_MS = 700;
/** Of how many selected ships the ways are drawn at most. */
const ROUTES = 40;

export class Painter {
  /** @param {GalaxyMap} map */
  constructor(map) {
    this.map = map;
    /** What can be seen of each station on the ground as it was painted. @type {Map<Id, number>} */
    this.looks = new Map();
    /** Where the sectors' names stand on the ground as it was painted; on the plane. @type {Bounds[]} */
    this.names = [];
  }

  /** Whether something that is painted on the ground differs at stations that changed. @param {unknown} stations */
  looksChanged(stations) {
    let changed = false;
    for (const id in /** @type {Record<Id, unknown>} */ (stations ?? {})) {
      const station = this.map.view.stations[id];
      if (station && !this.map.ground.zones.get(station.sector)?.seen) continue;
      const looks = station && looksOf(station, this.map.camera);
      if (looks === this.looks.get(id)) continue;
      changed = true;
      if (looks === undefined) this.looks.delete(id);
      else this.looks.set(id, looks);
    }
    return changed;
  }

  /** @param {Context} ctx */
  paintBase(ctx) {
    const { camera } = this.map;
    this.map.ground.look(camera, PAD);
    this.names = paintBase(ctx, this.map.scene).map((place) => moved(place, (spot) => camera.toPlane(spot)));
    this.looks.clear();
    for (const zone of this.map.ground.zones.values()) {
      for (const id of zone.seen ? zone.stations : []) {
        const station = this.map.view.stations[id];
        if (station) this.looks.set(id, looksOf(station, camera));
      }
    }
  }

  /** @param {Context} ctx @param {number} now @returns {boolean} whether anything moves */
  paintLive(ctx, now) {
    const { map } = this;
    const { camera, scene, marks } = map;
    const { hovered, lasso } = map.aiming;
    const tick = map.clock.at(now);
    const flying = map.placeMarks(now);
    const box = hovered?.type === "sector" ? map.ground.boxes.get(hovered.id) : undefined;
    if (box) paintHoveredBox(ctx, camera, box);
    const labels = new Labels();
    for (const name of this.names) labels.keep(moved(name, (spot) => camera.toScreen(spot)));
    const route = this.paintRoutes(ctx, tick);
    for (const { to } of map.pending) {
      const goal = spotOf(map.view, to);
      if (goal) paintWaitingGoal(ctx, scene, goal);
    }
    if (map.rings.length) map.rings = map.rings.filter(({ startMs }) => now - startMs < RING_MS);
    for (const { spot, startMs } of map.rings) paintRing(ctx, camera.toScreen(spot), 8, (now - startMs) / RING_MS);
    const mark = hovered?.type === "ship" ? marks.get(hovered.id) : undefined;
    const still = hovered?.type === "station" || hovered?.type === "gate";
    const spot = still ? map.spotOnScreen({ [hovered.type]: hovered.id }) : mark?.seen ? mark : null;
    if (spot) paintRing(ctx, spot, glyphRadius(camera) + 6, 0);
    paintShips(ctx, camera, marks);
    const chosen = this.chosen();
    if (chosen.length) paintChosen(ctx, camera, chosen);
    if (route) paintEtas(ctx, scene, route, tick, map.clock.tickHz, labels);
    paintStorms(ctx, scene, tick, map.clock.tickHz, labels);
    paintCrowds(ctx, scene, marks, labels);
    paintShipNames(ctx, scene, marks, chosen, labels);
    if (lasso) paintFrame(ctx, ...lasso);
    map.aiming.lookAgain(now);
    return (flying && map.clock.running(now)) || map.rings.length > 0;
  }

  /** The ways of the selected ships. @param {Context} ctx @param {number} tick @returns the way of the first one */
  paintRoutes(ctx, tick) {
    if (!this.map.selection.size) return null;
    const ships = [...this.map.selection.ids].slice(0, ROUTES);
    const routes = ships.flatMap((id) => {
      const ship = this.map.view.ships[id];
      return ship ? [routeOf(this.map.view, ship, tick)] : [];
    });
    paintRoutes(ctx, this.map.scene, routes);
    return routes[0] ?? null;
  }

  /** The marks of the selected ships that are in sight. @returns {Mark[]} */
  chosen() {
    const marks = [];
    for (const id of this.map.selection.ids) {
      const mark = this.map.marks.get(id);
      if (mark?.seen) marks.push(mark);
    }
    return marks;
  }
}

/** A rectangle by where its corners go. @param {Bounds} bounds @param {(corner: Spot) => Spot} to @returns {Bounds} */
function moved({ left, top, right, bottom }, to) {
  const [from, end] = [to({ x: left, y: top }), to({ x: right, y: bottom })];
  return { left: from.x, top: from.y, right: end.x, bottom: end.y };
}
