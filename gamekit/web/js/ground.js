/**
 * What stands still on the map's plane, indexed so that a frame looks only at what is in sight: zones for sectors with
 * their stations, lanes for passages between them. Pure geometry and bookkeeping; nothing here paints.
 *
 * Invariant: `seen` of a zone or lane is false only when nothing of it, nor anything in it, can be on the screen.
 *
 * @import {Id, View} from "./types"
 * @import {Bounds, Box, Curve} from "./layout.js"
 * @import {Camera} from "./camera.js"
 */

import { BOX, curveFrom, gateCurve, layoutSectors, onCurve } from "./layout.js";

/** How far what belongs to a sector may stand out of its box: a glyph, docked ships. In pixels. */
const OVERHANG_PX = 40;
/** Into how many parts a curve is cut to find where it leaves a box. */
const CUTS = 40;

/** A sector. @typedef {{id: Id, box: Box, seen: boolean, stations: Id[], gates: Id[]}} Zone */
/**
 * A passage, which both of its gates share.
 * @typedef {object} Lane
 * @property {Id} gate the end from which `curve` leads
 * @property {Id} exit
 * @property {Curve} curve
 * @property {Bounds} bounds of the curve, on the plane
 * @property {boolean} seen
 * @property {boolean} open
 * @property {number} busy how many steps brighter its traffic makes it
 */

export class Ground {
  constructor() {
    /** @type {Map<Id, Box>} */
    this.boxes = new Map();
    /** By gate, from that gate to its other end. @type {Map<Id, Curve>} */
    this.curves = new Map();
    /** By gate, the part of its curve that lies in its own box. @type {Map<Id, Curve>} */
    this.stubs = new Map();
    /** By sector. @type {Map<Id, Zone>} */
    this.zones = new Map();
    /** By gate. @type {Map<Id, Lane>} */
    this.lanes = new Map();
    /** Every lane once. @type {Lane[]} */
    this.passages = [];
    /** How many zones were in sight at the last look. */
    this.zonesSeen = 0;
    this.stationCount = -1;
  }

  /** Place boxes and curves anew. @param {View} view */
  layout(view) {
    this.boxes = layoutSectors(view.sectors);
    this.zones.clear();
    for (const [id, box] of this.boxes)
      this.zones.set(id, { id, box, seen: true, stations: [], gates: view.sectors[id]?.gates ?? [] });
    this.curves.clear();
    this.stubs.clear();
    const lanes = new Map();
    this.passages = [];
    for (const [id, gate] of Object.entries(view.gates)) {
      const box = this.boxes.get(gate.sector);
      const exit = gate.to === null ? undefined : view.gates[gate.to];
      const otherBox = exit && this.boxes.get(exit.sector);
      if (!box || !exit || !otherBox || gate.to === null) continue;
      const curve = gateCurve(box, gate, otherBox, exit);
      this.curves.set(id, curve);
      this.stubs.set(id, stubOf(curve, box));
      let lane = lanes.get(gate.to);
      if (!lane) {
        const busy = this.lanes.get(id)?.busy ?? 0;
        lane = { gate: id, exit: gate.to, curve, bounds: boundsOfCurve(curve), seen: true, open: gate.open, busy };
        this.passages.push(lane);
      }
      lanes.set(id, lane);
    }
    this.lanes = lanes;
    this.stationCount = -1;
  }

  /** Note what of the ground has changed in place: stations that came or went, gates that opened or closed. @param {View} view */
  refresh(view) {
    for (const lane of this.passages) lane.open = view.gates[lane.gate]?.open ?? true;
    const ids = Object.keys(view.stations);
    if (ids.length === this.stationCount) return;
    this.stationCount = ids.length;
    for (const zone of this.zones.values()) zone.stations = [];
    for (const id of ids) this.zones.get(view.stations[id]?.sector ?? "")?.stations.push(id);
  }

  /** Mark what a camera sees. @param {Camera} camera @param {number} margin pixels around the screen that count as well */
  look(camera, margin) {
    const { sight, width, height, middle } = camera;
    const around = margin + OVERHANG_PX;
    const left = sight.x - (middle.x + around) / sight.scale;
    const right = sight.x + (width - middle.x + around) / sight.scale;
    const top = sight.y - (middle.y + around) / sight.scale;
    const bottom = sight.y + (height - middle.y + around) / sight.scale;
    this.zonesSeen = 0;
    for (const zone of this.zones.values()) {
      const { x, y } = zone.box;
      zone.seen = x + BOX / 2 > left && x - BOX / 2 < right && y + BOX / 2 > top && y - BOX / 2 < bottom;
      if (zone.seen) this.zonesSeen += 1;
    }
    for (const lane of this.passages) {
      const { bounds } = lane;
      lane.seen = bounds.right > left && bounds.left < right && bounds.bottom > top && bounds.top < bottom;
    }
  }
}

/** The part of a curve that lies in the box where it begins. @param {Curve} curve @param {Box} box @returns {Curve} */
function stubOf(curve, box) {
  let cut = 1;
  while (cut < CUTS / 2) {
    const { x, y } = onCurve(curve, cut / CUTS);
    if (Math.abs(x - box.x) > BOX / 2 || Math.abs(y - box.y) > BOX / 2) break;
    cut += 1;
  }
  const [a, b, c, d] = curve;
  const [from, near, far, to] = curveFrom([d, c, b, a], 1 - cut / CUTS);
  return [to, far, near, from];
}

/** A rectangle in which a curve lies for sure. @param {Curve} curve @returns {Bounds} */
function boundsOfCurve(curve) {
  const [xs, ys] = [curve.map(({ x }) => x), curve.map(({ y }) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
