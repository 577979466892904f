/**
 * Texts on the map, and the room for them, so that none is written over another or over what it names. All in pixels.
 *
 * @import {Bounds, Spot} from "./layout.js"
 */

import { FONT, PALETTE } from "./glyphs.js";

/** @typedef {CanvasRenderingContext2D} Context */

/** Least space between a sector's name and what is beside it. */
const APART = 7;

export class Labels {
  constructor() {
    /** @type {Bounds[]} */
    this.taken = [];
  }

  /**
   * Keep a place free of texts.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  block(x, y, radius) {
    this.taken.push({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius });
  }

  /** Keep a rectangle free of texts. @param {Bounds} area @returns {Bounds} the same, to be changed with its text */
  keep(area) {
    this.taken.push(area);
    return area;
  }

  /**
   * How far a line of text may reach to both sides of its place before it meets something.
   * @param {Bounds} place within it nothing else counts
   * @param {{left: number, right: number}} edges which it should not cross
   * @returns {{left: number, right: number}}
   */
  roomAround(place, edges) {
    let left = Math.min(edges.left, place.left);
    let right = Math.max(edges.right, place.right);
    for (const other of this.taken) {
      if (other.top >= place.bottom || other.bottom <= place.top) continue;
      if (other.left >= place.right) right = Math.min(right, Math.max(place.right, other.left - APART));
      if (other.right <= place.left) left = Math.max(left, Math.min(place.left, other.right + APART));
    }
    return { left, right };
  }

  /**
   * Take room for a text beside a spot.
   * @param {number} width
   * @param {number} height
   * @param {Spot} spot
   * @param {number} gap from the spot
   * @param {Bounds | null} [frame] which the text must not leave
   * @param {string[]} [sides] to try, in order: "right", "below", "above left" ...
   * @returns {Spot | null} the left end of the text's middle line; null when there is no room
   */
  spotFor(width, height, { x, y }, gap, frame = null, sides = ["right", "left", "below", "above"]) {
    for (const side of sides) {
      const left = side.endsWith("right") ? x + gap : side.endsWith("left") ? x - gap - width : x - width / 2;
      const up = side.startsWith("above") ? -1 : side.startsWith("below") ? 1 : 0;
      // At a corner a text may come nearer.
      const middle = y + up * (side.includes(" ") ? gap * 0.5 + height / 2 : gap + height / 2);
      const text = { left, top: middle - height / 2, right: left + width, bottom: middle + height / 2 };
      if (
        frame &&
        !(text.left > frame.left && text.right < frame.right && text.top > frame.top && text.bottom < frame.bottom)
      )
        continue;
      if (this.taken.some((other) => overlap(other, text))) continue;
      this.taken.push(text);
      return { x: left, y: middle };
    }
    return null;
  }
}

/** @param {Bounds} one @param {Bounds} other */
function overlap(one, other) {
  return one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
}

/**
 * Write the sectors' names above their boxes. A name that is wider than its box goes on over the free room to the
 * right, then to the left; it is cut only where there is none.
 * @param {Context} ctx
 * @param {number} size width of a box
 * @param {{text: string, middle: Spot}[]} sectors middle: of the box
 * @param {{left: number, right: number}} edges of what can be seen
 * @returns {Bounds[]} where they stand
 */
export function paintSectorNames(ctx, size, sectors, edges) {
  const pixels = Math.min(15, Math.max(10.5, size * 0.12));
  const room = new Labels();
  ctx.font = `500 ${pixels}px ${FONT}`;
  const names = sectors.map(({ text, middle }) => {
    const [left, top] = [middle.x - size / 2, middle.y - size / 2];
    const line = top - pixels * 0.85;
    const width = Math.min(size, ctx.measureText(text).width);
    room.keep({ left, top, right: left + size, bottom: top + size });
    const above = { left: left + 1, top: line - pixels / 2, right: left + 1 + width, bottom: line + pixels / 2 };
    return { text, line, place: room.keep(above) };
  });
  for (const { text, line, place } of names) {
    const free = room.roomAround(place, edges);
    const shown = fitted(ctx, text, free.right - free.left);
    const width = ctx.measureText(shown).width;
    place.left = Math.min(place.left, free.right - width);
    place.right = place.left + width;
    paintText(ctx, shown, { x: place.left, y: line }, PALETTE.name);
  }
  return names.map(({ place }) => place);
}

/**
 * The text, cut with an ellipsis where it is wider than `width`.
 * @param {Context} ctx
 * @param {string} text
 * @param {number} width
 */
function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

/** @param {Context} ctx @param {string} text @param {Spot} spot left end of the middle line @param {string} colour */
export function paintText(ctx, text, { x, y }, colour) {
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineWidth = 4;
  ctx.strokeStyle = PALETTE.ground;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}
