/**
 * What pointers and keys mean on a map: selecting, looking, ordering, moving the camera. It reads the map and calls its
 * methods; it paints nothing. A click with own ships selected is an order, and waits until it cannot become a double
 * click any more, which only frames.
 *
 * @import {GalaxyMap} from "./map.js"
 * @import {Target} from "./types"
 * @import {Spot} from "./layout.js"
 * @import {Mark} from "./marks.js"
 */

import { OWN } from "./marks.js";
import { Pointers } from "./pointers.js";
import { namesShown } from "./sizes.js";
import { destinationOf, targetAt } from "./targets.js";
import { Tooltip, wordsFor } from "./tooltip.js";

/** How long a click waits for a second one before it counts as an order, in milliseconds. */
const DOUBLE_CLICK_MS = 240;
/** How near a pointer must come to something small, in pixels. */
const MOUSE_PX = 13;
const FINGER_PX = 22;
/** How often it is looked what has moved under a pointer that rests, in milliseconds. */
const LOOK_AGAIN_MS = 120;
/** How far an arrow key moves the map, in pixels. */
const STEP_PX = 90;
/** @type {Record<string, [number, number]>} */
const STEPS = {
  ArrowLeft: [STEP_PX, 0],
  ArrowRight: [-STEP_PX, 0],
  ArrowUp: [0, STEP_PX],
  ArrowDown: [0, -STEP_PX],
};

export class Aiming {
  /** @param {GalaxyMap} map */
  constructor(map) {
    this.map = map;
    /** What is under the pointer. @type {Target | null} */
    this.hovered = null;
    /** @type {Spot | null} */
    this.pointer = null;
    /** The frame that is being drawn to select what is in it, on the screen. @type {[Spot, Spot] | null} */
    this.lasso = null;
    this.lookedMs = 0;
    this.clickTimer = 0;
    this.tooltip = new Tooltip(map.element);
    const { camera, stage } = map;
    const steer = (/** @type {() => void} */ move) => {
      map.steered = true;
      move();
      stage.request();
    };
    this.pointers = new Pointers(stage.live, {
      click: (spot, event) => this.clicked(spot, event),
      doubleClick: (spot) => this.doubleClicked(spot),
      hover: (spot) => this.hover(spot),
      pan: (dx, dy) => steer(() => camera.pan(dx, dy)),
      zoom: (factor, anchor) => steer(() => camera.zoomAt(factor, anchor)),
      lasso: (from, to, ended) => this.lassoed(from, to, ended),
    });
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    map.element.addEventListener("keydown", this.onKey);
  }

  /** Listen no more. */
  destroy() {
    clearTimeout(this.clickTimer);
    this.pointers.destroy();
    this.tooltip.destroy();
    this.map.element.removeEventListener("keydown", this.onKey);
  }

  /**
   * What a click at a spot is about: while own ships are selected, others' are no goals and in nobody's way.
   * @param {Spot} spot
   * @param {number} reach
   */
  clickable(spot, reach) {
    const { map } = this;
    const marks = map.commands ? map.marks.kinds.slice(OWN).flat() : map.marks.byId.values();
    return targetAt(map.scene, marks, spot, reach);
  }

  /**
   * A frame is drawn with Shift: the own ships in it will be selected.
   * @param {Spot} from
   * @param {Spot} to
   * @param {boolean} ended
   */
  lassoed(from, to, ended) {
    const { map } = this;
    this.lasso = ended ? null : [from, to];
    map.request();
    if (!ended) return;
    map.placeMarks(performance.now());
    const within = (/** @type {"x" | "y"} */ axis, /** @type {Mark} */ mark) =>
      mark[axis] >= Math.min(from[axis], to[axis]) && mark[axis] <= Math.max(from[axis], to[axis]);
    const own = map.marks.kinds.slice(OWN).flat();
    const inside = own.filter((mark) => mark.seen && within("x", mark) && within("y", mark));
    if (inside.length) map.selection.set([...map.commanded, ...inside.map(({ id }) => id)]);
  }

  /** What is under a pointer that rests may have moved away. @param {number} now */
  lookAgain(now) {
    if (this.pointer && now - this.lookedMs > LOOK_AGAIN_MS) this.hover(this.pointer, false);
  }

  /** @param {Spot | null} spot @param {boolean} [repaint] */
  hover(spot, repaint = true) {
    const { map } = this;
    this.lookedMs = performance.now();
    this.pointer = spot;
    const before = this.hovered;
    this.hovered = spot && targetAt(map.scene, map.marks.byId.values(), spot, MOUSE_PX);
    const words = this.hovered && wordsFor(map.view, this.hovered, namesShown(map.camera));
    this.tooltip.show(words, spot ?? undefined);
    const { style } = map.stage.live;
    const cursor = this.hovered?.type === "ship" ? "pointer" : map.commands && this.hovered ? "crosshair" : "grab";
    if (style.cursor !== cursor) style.cursor = cursor;
    if (repaint && (before?.type !== this.hovered?.type || before?.id !== this.hovered?.id)) map.request();
  }

  /** @param {Spot} spot @param {PointerEvent} event */
  clicked(spot, event) {
    const { map } = this;
    map.placeMarks(performance.now());
    const touch = event.pointerType !== "mouse";
    const target = this.clickable(spot, touch ? FINGER_PX : MOUSE_PX);
    if (target?.type === "ship") return this.choose(target.id, event.shiftKey);
    if (touch && !map.commands) this.tooltip.show(target && wordsFor(map.view, target, namesShown(map.camera)), spot);
    const append = event.shiftKey;
    if (map.commands && target) map.ring(spot);
    clearTimeout(this.clickTimer);
    this.clickTimer = window.setTimeout(
      () => {
        const to = target && destinationOf(target, map.view);
        if (target) map.onLook?.(target);
        if (to && map.commands) for (const ship of map.commanded) map.onOrder?.({ ship, to, append });
        else map.select(null);
      },
      map.selection.size === 0 ? 0 : DOUBLE_CLICK_MS,
    );
    map.request();
  }

  /** @param {string} id @param {boolean} more besides those that are selected */
  choose(id, more) {
    const { map } = this;
    if (!more || !map.isOwn(id)) return map.select(id);
    const before = map.commanded;
    map.selection.set(before.includes(id) ? before.filter((one) => one !== id) : [...before, id]);
  }

  /** @param {Spot} spot */
  doubleClicked(spot) {
    const { map } = this;
    clearTimeout(this.clickTimer);
    map.rings = [];
    const target = targetAt(map.scene, map.marks.byId.values(), spot, MOUSE_PX);
    const sector =
      target?.type === "sector"
        ? target.id
        : target?.type === "station"
          ? map.view.stations[target.id]?.sector
          : target?.type === "gate"
            ? map.view.gates[target.id]?.sector
            : undefined;
    if (sector) map.frameSectors([sector]);
    else if (!target) map.frameAll();
  }

  /**
   * The map's own keys: + and - zoom, Shift and the arrows move, 0 shows everything, Escape deselects.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const { map } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [dx, dy] = (event.shiftKey && STEPS[event.key]) || [0, 0];
    if (event.key === "+" || event.key === "=") map.zoomBy(1.5);
    else if (event.key === "-" || event.key === "_") map.zoomBy(1 / 1.5);
    else if (event.key === "0") map.frameAll();
    else if (event.key === "Escape") map.select(null);
    else if (dx || dy) map.panBy(dx, dy);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
