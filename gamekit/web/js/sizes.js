/**
 * How large things are on the screen at a camera's scale, in pixels: shared by those who paint and those who point.
 *
 * @import {Camera} from "./camera.js"
 */

import { BOX } from "./layout.js";

/** Width of a sector's box in pixels, below which its contents cannot be made out. */
export const USEFUL_BOX_PX = 28;

/** Width of a sector's box. @param {Camera} camera */
export function boxPixels(camera) {
  return BOX * camera.sight.scale;
}

/** Radius of a station's glyph. @param {Camera} camera */
export function glyphRadius(camera) {
  return Math.min(12, Math.max(2.6, boxPixels(camera) * 0.055));
}

/** Half the length of a ship's mark. @param {Camera} camera @param {boolean} own */
export function shipRadius(camera, own) {
  const size = Math.min(8, Math.max(1.6, boxPixels(camera) * 0.052));
  return own ? Math.max(6, size * 1.3) : size;
}

/** Whether sectors are large enough for their names. @param {Camera} camera */
export function namesShown(camera) {
  return boxPixels(camera) >= 44;
}
