/**
 * Mouse, pen and fingers over one element, as clicks, double clicks, hovering, panning and zooming.
 *
 * A press that moves is a pan and no click; two fingers pan and zoom; the second of two quick clicks on one spot is a
 * double click and no click.
 *
 * @import {Spot} from "./layout.js"
 */

/** How far a press may move and still be a click, in pixels; fingers are less steady. */
const STEADY_PX = { mouse: 5, touch: 10, pen: 8 };
/** Most time and distance between the clicks of a double click. */
const DOUBLE_MS = 300;
const DOUBLE_PX = 14;

/**
 * @typedef {object} PointerSink
 * @property {(spot: Spot, event: PointerEvent) => void} click
 * @property {(spot: Spot) => void} doubleClick
 * @property {(spot: Spot | null) => void} hover null when the pointer has left
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, anchor: Spot) => void} zoom
 * @property {(from: Spot, to: Spot, ended: boolean) => void} lasso a frame is drawn with Shift held
 */

export class Pointers {
  /** @param {HTMLElement} element @param {PointerSink} sink */
  constructor(element, sink) {
    this.element = element;
    this.sink = sink;
    /** @type {Map<number, Spot>} */
    this.pressed = new Map();
    /** @type {{spot: Spot, moved: boolean, shift: boolean}} */
    this.press = { spot: { x: 0, y: 0 }, moved: false, shift: false };
    /** @type {{spot: Spot, timeMs: number} | null} */
    this.lastClick = null;
    this.listening = new AbortController();
    const { signal } = this.listening;
    element.addEventListener("pointerdown", (event) => this.down(event), { signal });
    element.addEventListener("pointermove", (event) => this.move(event), { signal });
    element.addEventListener("pointerup", (event) => this.up(event), { signal });
    element.addEventListener("pointercancel", (event) => this.cancel(event), { signal });
    element.addEventListener("pointerleave", () => this.pressed.size || sink.hover(null), { signal });
    element.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
  }

  /** Listen no more. */
  destroy() {
    this.listening.abort();
  }

  /** @param {MouseEvent} event @returns {Spot} */
  spot(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pressed.set(event.pointerId, this.spot(event));
    if (this.pressed.size === 1) this.press = { spot: this.spot(event), moved: false, shift: event.shiftKey };
    else this.press.moved = true;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const spot = this.spot(event);
    const before = this.pressed.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.sink.hover(spot);
      return;
    }
    const steady = STEADY_PX[/** @type {"mouse"} */ (event.pointerType)] ?? STEADY_PX.touch;
    if (!this.press.moved && distance(spot, this.press.spot) < steady) return;
    if (!this.press.moved) this.sink.hover(null);
    this.press.moved = true;
    const others = [...this.pressed].filter(([id]) => id !== event.pointerId);
    const other = others[0]?.[1];
    this.pressed.set(event.pointerId, spot);
    if (!other && this.press.shift) {
      this.sink.lasso(this.press.spot, spot, false);
      return;
    }
    if (!other) {
      this.sink.pan(spot.x - before.x, spot.y - before.y);
      return;
    }
    const middle = { x: (spot.x + other.x) / 2, y: (spot.y + other.y) / 2 };
    this.sink.pan((spot.x - before.x) / 2, (spot.y - before.y) / 2);
    this.sink.zoom(Math.max(1, distance(spot, other)) / Math.max(1, distance(before, other)), middle);
  }

  /** @param {PointerEvent} event */
  up(event) {
    const alone = this.pressed.has(event.pointerId) && this.pressed.size === 1;
    const clicked = alone && !this.press.moved;
    if (alone && this.press.moved && this.press.shift) this.sink.lasso(this.press.spot, this.spot(event), true);
    this.forget(event);
    if (!clicked) return;
    const { spot } = this.press;
    const last = this.lastClick;
    if (last && event.timeStamp - last.timeMs < DOUBLE_MS && distance(spot, last.spot) < DOUBLE_PX) {
      this.lastClick = null;
      this.sink.doubleClick(spot);
      return;
    }
    this.lastClick = { spot, timeMs: event.timeStamp };
    this.sink.click(spot, event);
  }

  /** @param {PointerEvent} event */
  cancel(event) {
    this.forget(event);
    // A frame without a size selects nothing.
    if (this.press.moved && this.press.shift) this.sink.lasso(this.press.spot, this.press.spot, true);
  }

  /** @param {PointerEvent} event */
  forget(event) {
    this.pressed.delete(event.pointerId);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    // A trackpad's pinch comes as a wheel with ctrlKey and small steps.
    const gain = event.ctrlKey ? 0.01 : 0.0016;
    this.sink.zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) * gain), this.spot(event));
  }
}

/** @param {Spot} one @param {Spot} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
