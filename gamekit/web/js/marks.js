/**
 * Ships on the screen: one mark for each, kept from frame to frame. What a ship does is worked out when the server says
 * something new about it; a frame only moves the marks that are in sight, and makes nothing new. Pure; the painters
 * draw the marks.
 *
 * Invariants: a mark is in exactly one of the `kinds`, or nowhere; `seen` marks have their place of the tick and camera
 * that `place` was called with last.
 *
 * @import {Id, Ship, View} from "./types"
 * @import {Curve} from "./layout.js"
 * @import {Camera} from "./camera.js"
 * @import {Ground, Lane, Zone} from "./ground.js"
 */

import { planeOf } from "./layout.js";
import { boxPixels, glyphRadius } from "./sizes.js";

/** What a mark does. */
const NOWHERE = 0;
const RESTS = 1;
const FLIES = 2;
const JUMPS = 3;
const DOCKED = 4;

/** Whose a mark is, in the order of painting: the user's own ships above all others. */
export const COMPANY = 0;
export const OTHER = 1;
export const OWN = 2;
export const STUCK = 3;
const KINDS = [COMPANY, OTHER, OWN, STUCK];

/** The status in which a ship waits for something that its owner may want to change. */
const HOLDING = "holding";
/** How long a ship's trail is, in ticks of its way; and the width of a box, in pixels, above which it is seen. */
const TRAIL_TICKS = 60;
const TRAIL_BOX_PX = 60;
/** How many docked ships have a place around their station; the others are counted only. */
export const BERTHS = 8;
/** Width of a box, in pixels, above which the docked ships of others are seen. */
const BERTH_BOX_PX = 60;

/** A ship on the map. Lengths with a small name are on the plane, `x` and `y` are pixels. */
export class Mark {
  /** @param {Id} id */
  constructor(id) {
    this.id = id;
    this.name = "";
    this.kind = COMPANY;
    this.doing = NOWHERE;
    /** @type {Zone | null} */
    this.zone = null;
    /** @type {Lane | null} */
    this.lane = null;
    /** @type {Curve | null} */
    this.curve = null;
    this.station = "";
    /** Which place around its station it has; -1 for none. */
    this.berth = -1;
    this.fromX = 0.5;
    this.fromY = 0.5;
    this.toX = 0.5;
    this.toY = 0.5;
    this.depart = 0;
    this.arrive = 0;
    // The halves keep these fields in a form that a frame can write without making something new.
    this.x = 0.5;
    this.y = 0.5;
    /** Where it points: the cosine and the sine. */
    this.aheadX = 0.5;
    this.aheadY = 0.5;
    this.tailX = 0.5;
    this.tailY = 0.5;
    this.seen = false;
    this.trails = false;
  }

  get own() {
    return this.kind >= OWN;
  }

  get company() {
    return this.kind === COMPANY;
  }
}

export class Marks {
  constructor() {
    /** @type {Map<Id, Mark>} */
    this.byId = new Map();
    /** By kind, in the order of painting. @type {Mark[][]} */
    this.kinds = KINDS.map(() => []);
    /** How many ships are docked, by station. @type {Map<Id, number>} */
    this.docked = new Map();
    this.sorted = true;
    this.berthed = true;
    /** How many marks were in sight in the last frame. */
    this.drawn = 0;
  }

  /** @param {Id} id @returns {Mark | undefined} */
  get(id) {
    return this.byId.get(id);
  }

  /**
   * Take over what the view says of ships.
   * @param {View} view
   * @param {Ground} ground
   * @param {Id | null} player whose ships are own
   * @param {Iterable<Id>} [changed] all when it is not given
   */
  update(view, ground, player, changed) {
    if (!changed) for (const id of this.byId.keys()) if (!view.ships[id]) this.drop(id);
    for (const id of changed ?? Object.keys(view.ships)) {
      const ship = view.ships[id];
      if (ship) this.note(view, ground, player, id, ship);
      else this.drop(id);
    }
  }

  /** @param {Id} id */
  drop(id) {
    if (!this.byId.delete(id)) return;
    this.sorted = this.berthed = false;
  }

  /**
   * @param {View} view
   * @param {Ground} ground
   * @param {Id | null} player
   * @param {Id} id
   * @param {Ship} ship
   */
  note(view, ground, player, id, ship) {
    let mark = this.byId.get(id);
    if (!mark) {
      this.byId.set(id, (mark = new Mark(id)));
      this.sorted = false;
    }
    mark.name = ship.name;
    const own = player !== null && ship.owner === player;
    const company = view.players?.[ship.owner]?.company ?? false;
    const kind = own ? (ship.status === HOLDING ? STUCK : OWN) : company ? COMPANY : OTHER;
    if (kind !== mark.kind) [mark.kind, this.sorted] = [kind, false];
    const before = mark.doing === DOCKED ? mark.station : "";
    this.locate(view, ground, mark, ship);
    if (before !== (mark.doing === DOCKED ? mark.station : "")) this.berthed = false;
  }

  /** @param {View} view @param {Ground} ground @param {Mark} mark @param {Ship} ship */
  locate(view, ground, mark, { at }) {
    mark.doing = NOWHERE;
    mark.zone = mark.lane = mark.curve = null;
    if (at.type === "gate") {
      const gate = view.gates[at.gate];
      mark.zone = ground.zones.get(gate?.sector ?? "") ?? null;
      if (!gate || !mark.zone) return;
      const known = at.exit !== null && view.gates[at.exit] !== undefined;
      mark.lane = known ? (ground.lanes.get(at.gate) ?? null) : null;
      mark.curve = known ? (ground.curves.get(at.gate) ?? null) : null;
      [mark.depart, mark.arrive] = [at.depart, at.arrive];
      // On its way into the unknown it is shown in front of the gate that it entered.
      if (mark.curve) mark.doing = JUMPS;
      else if (!known) this.rest(mark, gate.x, gate.y);
      return;
    }
    const station = at.type === "dock" ? view.stations[at.station] : undefined;
    mark.zone = ground.zones.get(at.type === "dock" ? (station?.sector ?? "") : at.sector) ?? null;
    if (!mark.zone) return;
    if (at.type === "space") return this.rest(mark, at.x, at.y);
    if (at.type === "dock") {
      this.rest(mark, station?.x ?? 0, station?.y ?? 0);
      mark.doing = DOCKED;
      mark.station = at.station;
      return;
    }
    const { box } = mark.zone;
    const [from, to] = [planeOf(box, ...at.from), planeOf(box, ...at.to)];
    [mark.fromX, mark.fromY, mark.toX, mark.toY] = [from.x, from.y, to.x, to.y];
    [mark.depart, mark.arrive] = [at.depart, at.arrive];
    const far = Math.hypot(to.x - from.x, to.y - from.y);
    mark.aheadX = far ? (to.x - from.x) / far : 0;
    mark.aheadY = far ? (to.y - from.y) / far : -1;
    mark.doing = FLIES;
  }

  /** @param {Mark} mark in its zone @param {number} x metres @param {number} y metres */
  rest(mark, x, y) {
    if (!mark.zone) return;
    const spot = planeOf(mark.zone.box, x, y);
    [mark.fromX, mark.fromY, mark.aheadX, mark.aheadY] = [spot.x, spot.y, 0, -1];
    mark.doing = RESTS;
  }

  /** Give docked ships their places around the stations, the user's own first. */
  assignBerths() {
    if (this.berthed) return;
    this.berthed = true;
    this.docked.clear();
    for (let kind = KINDS.length - 1; kind >= 0; kind -= 1) {
      for (const mark of this.kinds[kind] ?? []) {
        if (mark.doing !== DOCKED) continue;
        const before = this.docked.get(mark.station) ?? 0;
        this.docked.set(mark.station, before + 1);
        mark.berth = before < BERTHS ? before : -1;
      }
    }
  }

  /** Put every mark into the list of its kind. */
  sort() {
    if (this.sorted) return;
    this.sorted = true;
    this.kinds = KINDS.map(() => []);
    for (const mark of this.byId.values()) this.kinds[mark.kind]?.push(mark);
  }

  /**
   * Find out where the marks in sight are on the screen. Nothing is made here, for it is done in every frame.
   * @param {Camera} camera
   * @param {number} tick with a fraction
   * @returns {boolean} whether any of them is under way
   */
  place(camera, tick) {
    this.sort();
    this.assignBerths();
    const { scale } = camera.sight;
    const shiftX = camera.middleX - camera.sight.x * scale;
    const shiftY = camera.middleY - camera.sight.y * scale;
    const size = boxPixels(camera);
    const reach = glyphRadius(camera) + Math.min(9, size * 0.07);
    const trails = size > TRAIL_BOX_PX;
    const width = camera.width + 12;
    const height = camera.height + 12;
    let flying = false;
    this.drawn = 0;
    for (let kind = 0; kind < this.kinds.length; kind += 1) {
      for (const mark of this.kinds[kind] ?? []) {
        mark.seen = mark.trails = false;
        const { doing } = mark;
        if (doing === NOWHERE) continue;
        if (doing === JUMPS ? !mark.lane?.seen : !mark.zone?.seen) continue;
        if (doing === JUMPS) jumpTo(mark, tick);
        else if (doing === FLIES) flyTo(mark, tick);
        else {
          mark.x = mark.fromX;
          mark.y = mark.fromY;
        }
        mark.x = mark.x * scale + shiftX;
        mark.y = mark.y * scale + shiftY;
        if (doing === DOCKED) {
          if (kind < OWN && (mark.berth < 0 || size < BERTH_BOX_PX)) continue;
          // Docked ships stand around their station, so that each can be seen and clicked.
          const angle = ((Math.max(0, mark.berth) - 1) * Math.PI * 2) / BERTHS;
          mark.aheadX = Math.cos(angle);
          mark.aheadY = Math.sin(angle);
          mark.x += mark.aheadX * reach;
          mark.y += mark.aheadY * reach;
        } else if (doing !== RESTS && tick < mark.arrive) {
          flying = true;
          if (trails && doing === FLIES) {
            mark.trails = true;
            const tail = share(mark, Math.max(mark.depart, tick - TRAIL_TICKS));
            mark.tailX = (mark.fromX + (mark.toX - mark.fromX) * tail) * scale + shiftX;
            mark.tailY = (mark.fromY + (mark.toY - mark.fromY) * tail) * scale + shiftY;
          }
        }
        mark.seen = mark.x > -12 && mark.y > -12 && mark.x < width && mark.y < height;
        if (mark.seen) this.drawn += 1;
      }
    }
    return flying;
  }

  /**
   * Where one ship is on the screen, in sight or not, by a camera of this moment.
   * @param {Id} id
   * @param {Camera} camera
   * @param {number} tick
   * @returns {{x: number, y: number} | null}
   */
  spotOf(id, camera, tick) {
    this.place(camera, tick);
    const mark = this.byId.get(id);
    if (!mark || mark.doing === NOWHERE) return null;
    if (mark.seen) return { x: mark.x, y: mark.y };
    if (mark.doing === JUMPS) jumpTo(mark, tick);
    else if (mark.doing === FLIES) flyTo(mark, tick);
    else return camera.toScreen({ x: mark.fromX, y: mark.fromY });
    return camera.toScreen({ x: mark.x, y: mark.y });
  }
}

/** How far along its way a mark is, from 0 to 1. @param {Mark} mark @param {number} tick */
function share({ depart, arrive }, tick) {
  return arrive <= depart ? 1 : Math.min(1, Math.max(0, (tick - depart) / (arrive - depart)));
}

/** @param {Mark} mark @param {number} tick */
function flyTo(mark, tick) {
  const done = share(mark, tick);
  mark.x = mark.fromX + (mark.toX - mark.fromX) * done;
  mark.y = mark.fromY + (mark.toY - mark.fromY) * done;
}

/** The same as `onCurve`, without making anything. @param {Mark} mark @param {number} tick */
function jumpTo(mark, tick) {
  const { curve } = mark;
  if (!curve) return;
  const a = curve[0];
  const b = curve[1];
  const c = curve[2];
  const d = curve[3];
  const t = share(mark, tick);
  const s = 1 - t;
  mark.x = s * s * s * a.x + 3 * s * s * t * b.x + 3 * s * t * t * c.x + t * t * t * d.x;
  mark.y = s * s * s * a.y + 3 * s * s * t * b.y + 3 * s * t * t * c.y + t * t * t * d.y;
  const slopeX = s * s * (b.x - a.x) + 2 * s * t * (c.x - b.x) + t * t * (d.x - c.x);
  const slopeY = s * s * (b.y - a.y) + 2 * s * t * (c.y - b.y) + t * t * (d.y - c.y);
  const length = Math.hypot(slopeX, slopeY) || 1;
  mark.aheadX = slopeX / length;
  mark.aheadY = slopeY / length;
}

