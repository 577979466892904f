/**
 * The camera over the map's plane: what is in sight, at which scale, and its smooth way from one view to another.
 * Knows nothing of the canvas; lengths on the screen are CSS pixels.
 *
 * @import {Bounds, Spot} from "./layout.js"
 */

/** Time in which a camera's way is mostly done, in milliseconds. */
const GLIDE_MS = 380;
/** Least pixels per plane unit, and most: a sector's box is 100 units wide. */
const MIN_SCALE = 0.02;
const MAX_SCALE = 40;

/** @typedef {{x: number, y: number, scale: number}} Sight the plane's spot in the middle, and pixels per unit */

export class Camera {
  constructor() {
    /** @type {Sight} */
    this.sight = { x: 0, y: 0, scale: 1 };
    this.width = 1;
    this.height = 1;
    /** Pixels at each side that something else covers. @type {Bounds} */
    this.insets = { left: 0, top: 0, right: 0, bottom: 0 };
    /** @type {{from: Sight, to: Sight, startMs: number} | null} */
    this.glide = null;
  }

  /** The screen's spot that shows the sight's middle. */
  get middle() {
    return { x: this.middleX, y: this.middleY };
  }

  get middleX() {
    return (this.insets.left + this.width - this.insets.right) / 2;
  }

  get middleY() {
    return (this.insets.top + this.height - this.insets.bottom) / 2;
  }

  /** A spot of the plane on the screen. @param {Spot} spot @returns {Spot} */
  toScreen(spot) {
    const { x, y } = this.middle;
    return { x: (spot.x - this.sight.x) * this.sight.scale + x, y: (spot.y - this.sight.y) * this.sight.scale + y };
  }

  /** A spot of the screen on the plane. @param {Spot} spot @returns {Spot} */
  toPlane(spot) {
    const { x, y } = this.middle;
    return { x: (spot.x - x) / this.sight.scale + this.sight.x, y: (spot.y - y) / this.sight.scale + this.sight.y };
  }

  /**
   * The sight in which `bounds` fill the free part of the screen.
   * @param {Bounds} bounds
   * @param {number} [margin] pixels to leave at each side
   * @returns {Sight}
   */
  sightOf(bounds, margin = 28) {
    const { left, top, right, bottom } = this.insets;
    const width = Math.max(40, this.width - left - right - 2 * margin);
    const height = Math.max(40, this.height - top - bottom - 2 * margin);
    const scale = Math.min(width / (bounds.right - bounds.left), height / (bounds.bottom - bounds.top));
    return { x: (bounds.left + bounds.right) / 2, y: (bounds.top + bounds.bottom) / 2, scale: limited(scale) };
  }

  /** Go to a sight; at once when `nowMs` is not given. @param {Sight} sight @param {number} [nowMs] */
  go(sight, nowMs) {
    this.glide = nowMs === undefined ? null : { from: { ...this.sight }, to: sight, startMs: nowMs };
    if (nowMs === undefined) this.sight = sight;
  }

  /** Move on with the way. @param {number} nowMs @returns {boolean} whether the sight has changed */
  step(nowMs) {
    if (!this.glide) return false;
    const { from, to, startMs } = this.glide;
    const done = Math.min(1, Math.max(0, (nowMs - startMs) / GLIDE_MS));
    const eased = 1 - (1 - done) ** 3;
    const scale = from.scale * (to.scale / from.scale) ** eased;
    // The spot follows the scale, so that a zoom goes straight to its goal.
    const part =
      Math.abs(to.scale - from.scale) < 1e-9 ? eased : (1 / scale - 1 / from.scale) / (1 / to.scale - 1 / from.scale);
    this.sight = { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part, scale };
    if (done === 1) {
      this.sight = to;
      this.glide = null;
    }
    return true;
  }

  /**
   * Zoom so that the plane's spot under `anchor` stays there.
   * @param {number} factor
   * @param {Spot} anchor on the screen
   */
  zoomAt(factor, anchor) {
    this.go(this.zoomed(factor, anchor));
  }

  /**
   * The sight after a zoom about `anchor`.
   * @param {number} factor
   * @param {Spot} anchor on the screen
   * @returns {Sight}
   */
  zoomed(factor, anchor) {
    const fixed = this.toPlane(anchor);
    const scale = limited(this.sight.scale * factor);
    const shrink = this.sight.scale / scale;
    return { x: fixed.x + (this.sight.x - fixed.x) * shrink, y: fixed.y + (this.sight.y - fixed.y) * shrink, scale };
  }

  /** Move the plane with the pointer. @param {number} dx pixels @param {number} dy pixels */
  pan(dx, dy) {
    const { x, y, scale } = this.sight;
    this.go({ x: x - dx / scale, y: y - dy / scale, scale });
  }

  /** Whether a circle on the screen can be seen. @param {Spot} spot @param {number} radius */
  sees(spot, radius) {
    const { x, y } = spot;
    return x > -radius && y > -radius && x < this.width + radius && y < this.height + radius;
  }
}

/** @param {number} scale */
function limited(scale) {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));
}
