/**
 * The sectors' names where their boxes are small: each below, above or beside its box, as far as it meets nothing; the
 * others are told by pointing. All in pixels.
 *
 * @import {Bounds, Spot} from "./layout.js"
 * @import {Context} from "./labels.js"
 */

import { paintText } from "./labels.js";
import { FONT, PALETTE } from "./glyphs.js";

/** Height of a line, and the space between a name and what is beside it. */
const FONT_PX = 10.5;
const APART = 3;
/** Below this width of a box a name tells of nothing that one can see. */
const LEAST_BOX_PX = 5;
/** Areas are looked up by cells of this size, so that a thousand sectors cost a few milliseconds. */
const CELL = 64;
/** Widths of names, which are measured once. @type {Map<string, number>} */
const widths = new Map();

/** What is taken of a picture. */
class Room {
  /** @param {Bounds} frame which nothing may leave */
  constructor(frame) {
    this.frame = frame;
    /** @type {Map<string, Bounds[]>} */
    this.cells = new Map();
  }

  /** @param {Bounds} area @returns {string[]} the cells that it touches */
  static cellsOf({ left, top, right, bottom }) {
    const keys = [];
    for (let column = Math.floor(left / CELL); column <= right / CELL; column++)
      for (let row = Math.floor(top / CELL); row <= bottom / CELL; row++) keys.push(`${column} ${row}`);
    return keys;
  }

  /** Take an area. @param {Bounds} area */
  take(area) {
    for (const key of Room.cellsOf(area)) {
      const held = this.cells.get(key);
      if (held) held.push(area);
      else this.cells.set(key, [area]);
    }
  }

  /** Whether an area meets nothing. @param {Bounds} area */
  isFree(area) {
    const { left, top, right, bottom } = this.frame;
    if (area.left < left || area.right > right || area.top < top || area.bottom > bottom) return false;
    return Room.cellsOf(area).every((key) =>
      (this.cells.get(key) ?? []).every(
        (other) =>
          area.left >= other.right || area.right <= other.left || area.top >= other.bottom || area.bottom <= other.top,
      ),
    );
  }
}

/**
 * @param {Context} ctx
 * @param {number} size width of a box
 * @param {{text: string, middle: Spot}[]} sectors middle: of the box
 * @param {Bounds} frame of what can be seen
 * @returns {Bounds[]} where the names stand
 */
export function paintNamesWithRoom(ctx, size, sectors, frame) {
  if (size < LEAST_BOX_PX) return [];
  ctx.font = `500 ${FONT_PX}px ${FONT}`;
  const room = new Room(frame);
  const half = size / 2;
  for (const { middle } of sectors)
    room.take({ left: middle.x - half, top: middle.y - half, right: middle.x + half, bottom: middle.y + half });
  const names = [];
  for (const { text, middle } of sectors) {
    const place = placeFor(room, widthOf(ctx, text), half + APART, middle);
    if (!place) continue;
    room.take(place);
    names.push(place);
    paintText(ctx, text, { x: place.left, y: (place.top + place.bottom) / 2 }, PALETTE.name);
  }
  return names;
}

/** @param {Room} room @param {number} width @param {number} reach @param {Spot} middle @returns {Bounds | null} */
function placeFor(room, width, reach, { x, y }) {
  /** @param {number} left @param {number} top */
  const areaAt = (left, top) => ({ left, top, right: left + width, bottom: top + FONT_PX });
  const areas = [
    areaAt(x - width / 2, y + reach),
    areaAt(x - width / 2, y - reach - FONT_PX),
    areaAt(x + reach, y - FONT_PX / 2),
    areaAt(x - reach - width, y - FONT_PX / 2),
  ];
  return areas.find((area) => room.isFree(area)) ?? null;
}

/** @param {Context} ctx @param {string} text */
function widthOf(ctx, text) {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > 5000) widths.clear();
    widths.set(text, (width = ctx.measureText(text).width));
  }
  return width;
}
