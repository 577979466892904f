/**
 * The map's canvases and its frames. `base` holds what stands still and reaches beyond the screen on all sides, so that
 * a map that is dragged is only moved, and one that is zoomed is only stretched, until it is worth painting anew; `live`
 * holds what moves and is painted in every frame. A frame is asked for only while something moves or has changed.
 *
 * It knows when to paint, not what: `paintBase` and `paintLive` are its owner's.
 *
 * @import {Camera, Sight} from "./camera.js"
 * @import {Context} from "./paint.js"
 */

/** How far the base reaches beyond the screen at each side, in pixels. */
export const PAD = 160;
/** Above so many sectors in sight the base is stretched while the map is zoomed, and painted when it has come to rest. */
const MANY_SECTORS = 48;
/** After how long without a move of the camera the base is painted crisp, in milliseconds. */
const REST_MS = 110;
/** How much the base may be stretched or shrunk before it is painted anew all the same. */
const MOST_STRETCH = 1.6;
/** Of how many frames the times are kept. */
const KEPT = 256;

/**
 * @typedef {object} Painters
 * @property {(ctx: Context) => void} paintBase
 * @property {(ctx: Context, now: number) => boolean} paintLive whether something will be elsewhere in the next frame
 * @property {() => void} fit the element has another size
 * @property {(now: number) => void} prepare
 * @property {() => number} sectorsSeen
 */

/** What the stage has done so far, for tests and for the curious. */
class Stats {
  constructor() {
    this.frames = 0;
    this.basePaints = 0;
    /** How long the last frames took to paint, in milliseconds; a ring. */
    this.frameMs = new Float64Array(KEPT);
  }

  /** The median over the last frames, in milliseconds. */
  get medianMs() {
    const times = [...this.frameMs.slice(0, Math.min(this.frames, KEPT))].sort((a, b) => a - b);
    return times[times.length >> 1] ?? 0;
  }
}

export class Stage {
  /** @param {HTMLElement} element @param {Camera} camera @param {Painters} painters */
  constructor(element, camera, painters) {
    this.element = element;
    this.camera = camera;
    this.painters = painters;
    this.stats = new Stats();
    this.ratio = 1;
    this.frameAsked = 0;
    this.baseStale = true;
    /** The sight that the base was painted for. @type {Sight} */
    this.painted = { x: 0, y: 0, scale: 1 };
    this.paintedMiddle = { x: 0, y: 0 };
    /** How the base is moved and stretched; the style itself would say it with other digits. */
    this.transform = "";
    this.restTimer = 0;
    this.base = document.createElement("canvas");
    this.live = document.createElement("canvas");
    Object.assign(this.base.style, {
      position: "absolute",
      left: `${-PAD}px`,
      top: `${-PAD}px`,
      width: `calc(100% + ${2 * PAD}px)`,
      height: `calc(100% + ${2 * PAD}px)`,
      transformOrigin: "0 0",
    });
    Object.assign(this.live.style, { position: "absolute", inset: "0", width: "100%", height: "100%" });
    this.live.style.touchAction = "none";
    for (const canvas of [this.base, this.live]) canvas.setAttribute("aria-hidden", "true");
    element.append(this.base, this.live);
    this.resizing = new ResizeObserver(() => this.resized());
  }

  /** Begin to follow the element's size. */
  open() {
    this.resizing.observe(this.element);
    this.resized();
  }

  /** Stop, and take the canvases out of the element. */
  destroy() {
    cancelAnimationFrame(this.frameAsked);
    clearTimeout(this.restTimer);
    this.frameAsked = -1;
    this.resizing.disconnect();
    this.base.remove();
    this.live.remove();
  }

  /** Fit the canvases to the element and the screen. */
  resized() {
    const { clientWidth: width, clientHeight: height } = this.element;
    this.ratio = globalThis.devicePixelRatio || 1;
    this.camera.width = width;
    this.camera.height = height;
    for (const [canvas, pad] of /** @type {[HTMLCanvasElement, number][]} */ ([
      [this.base, PAD],
      [this.live, 0],
    ])) {
      canvas.width = Math.round((width + 2 * pad) * this.ratio);
      canvas.height = Math.round((height + 2 * pad) * this.ratio);
      canvas.getContext("2d")?.setTransform(this.ratio, 0, 0, this.ratio, pad * this.ratio, pad * this.ratio);
    }
    this.baseStale = true;
    this.painters.fit();
    // At once: a canvas is blank after a change of its size.
    if (this.frameAsked >= 0) this.frame();
  }

  /** What stands still has changed. */
  spoilBase() {
    this.baseStale = true;
    this.request();
  }

  /** Ask for a frame. */
  request() {
    if (this.frameAsked === 0) this.frameAsked = requestAnimationFrame(() => this.frame());
  }

  /** Paint one frame, and ask for the next while something moves. */
  frame() {
    if (this.frameAsked > 0) cancelAnimationFrame(this.frameAsked);
    this.frameAsked = 0;
    const now = performance.now();
    if ((globalThis.devicePixelRatio || 1) !== this.ratio) return this.resized();
    const base = this.base.getContext("2d");
    const live = this.live.getContext("2d");
    if (!base || !live) return;
    this.painters.prepare(now);
    this.camera.step(now);
    if (this.baseStale || this.outgrown()) this.paintBase(base);
    else this.moveBase();
    live.clearRect(0, 0, this.camera.width, this.camera.height);
    const moving = this.painters.paintLive(live, now);
    this.stats.frameMs[this.stats.frames % KEPT] = performance.now() - now;
    this.stats.frames += 1;
    if (moving || this.camera.glide) this.request();
  }

  /** @param {Context} ctx */
  paintBase(ctx) {
    clearTimeout(this.restTimer);
    this.restTimer = 0;
    this.baseStale = false;
    this.stats.basePaints += 1;
    this.painted = { ...this.camera.sight };
    this.paintedMiddle = this.camera.middle;
    this.base.style.transform = this.transform = "";
    ctx.clearRect(-PAD, -PAD, this.camera.width + 2 * PAD, this.camera.height + 2 * PAD);
    this.painters.paintBase(ctx);
  }

  /** Where the base's own corner belongs now, and how much it is stretched. */
  offset() {
    const { sight, middleX, middleY } = this.camera;
    const stretch = sight.scale / this.painted.scale;
    const x = (this.painted.x - sight.x) * sight.scale + middleX - (this.paintedMiddle.x + PAD) * stretch;
    const y = (this.painted.y - sight.y) * sight.scale + middleY - (this.paintedMiddle.y + PAD) * stretch;
    return { x: x + PAD, y: y + PAD, stretch };
  }

  /** Whether the base as it was painted is no good for what is in sight now. */
  outgrown() {
    const { x, y, stretch } = this.offset();
    const { width, height } = this.camera;
    if (Math.abs(stretch - 1) > 1e-9) {
      if (this.painters.sectorsSeen() <= MANY_SECTORS) return true;
      if (stretch > MOST_STRETCH || stretch < 1 / MOST_STRETCH) return true;
    }
    const [left, top] = [x - PAD, y - PAD];
    const right = left + (width + 2 * PAD) * stretch;
    const bottom = top + (height + 2 * PAD) * stretch;
    // Shrinking shows what was never painted; for the moment until the map rests that is better than a slow zoom.
    return stretch >= 1 ? left > 0 || top > 0 || right < width || bottom < height : false;
  }

  /** Move and stretch the base to where it belongs; painted anew once the camera rests. */
  moveBase() {
    const { x, y, stretch } = this.offset();
    const still = Math.abs(x) < 1e-6 && Math.abs(y) < 1e-6 && stretch === 1;
    const transform = still ? "" : `translate(${x}px, ${y}px) scale(${stretch})`;
    if (this.transform === transform) return;
    this.base.style.transform = this.transform = transform;
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.spoilBase(), REST_MS);
  }
}
