/**
 * Room for texts on the map, so that none is written over another or over what it names. Pure geometry, in pixels.
 *
 * @import {Bounds, Spot} from "./layout.js"
 */

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

  /**
   * Take room for a text beside a spot.
   * @param {number} width
   * @param {number} height
   * @param {Spot} spot
   * @param {number} gap from the spot
   * @param {Bounds | null} [frame] which the text must not leave
   * @param {string[]} [sides] to try, in order
   * @returns {Spot | null} the left end of the text's middle line; null when there is no room
   */
  spotFor(width, height, { x, y }, gap, frame = null, sides = ["right", "left", "below", "above"]) {
    for (const side of sides) {
      const left = side === "right" ? x + gap : side === "left" ? x - gap - width : x - width / 2;
      const middle = side === "below" ? y + gap + height / 2 : side === "above" ? y - gap - height / 2 : y;
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
