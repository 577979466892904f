/**
 * The galaxy map, shared by the player page and the notebook's widget: a canvas that shows a view at the clock's tick,
 * and turns pointers and keys into selections and orders.
 *
 * It owns its canvases, camera and frame loop. It does not own the game: it reads the view that it was given and asks
 * for orders by `onOrder`. It paints only when something moves or has changed: `base` when the camera or what stands
 * still changes, `live` in every frame while a ship flies. It is longer than its neighbours because it is all that
 * page and widget call; what can be decided without a canvas stands in them.
 *
 * @import {Changes, ClockSetting, Id, Order, Target, View} from "./types"
 * @import {Box, Curve, Spot} from "./layout.js"
 * @import {Mark, Scene} from "./paint.js"
 */

import { Camera } from "./camera.js";
import { boundsOf, gateCurve, layoutSectors, planeOf } from "./layout.js";
import { GameClock, emptyView, merge, placeOf, routeOf, sectorsAround, spotOf } from "./model.js";
import { PALETTE } from "./glyphs.js";
import { destinationOf, marksOf, targetAt } from "./marks.js";
import { boxPixels, glyphRadius, namesShown, paintBase } from "./paint.js";
import {
  paintEtas,
  paintFrame,
  paintHoveredBox,
  paintRing,
  paintRoute,
  paintShip,
  paintShipNames,
  paintWaitingGoal,
} from "./paintlive.js";
import { Selection } from "./selection.js";
import { Tooltip, wordsFor } from "./tooltip.js";
import { Pointers } from "./pointers.js";

/** How long a click waits for a second one before it counts as an order, in milliseconds. */
const DOUBLE_CLICK_MS = 240;
/** How long the ring at a clicked place is seen, in milliseconds. */
const RING_MS = 700;
/** Width of a sector, in pixels, below which its contents cannot be made out. */
const USEFUL_BOX_PX = 28;
/** How near a pointer must come to something small, in pixels. */
const MOUSE_PX = 13;
const FINGER_PX = 22;

/**
 * @typedef {object} MapOptions
 * @property {(order: Order) => void} [onOrder] called with each order that is asked for
 * @property {(ship: Id | null) => void} [onSelect] called when other ships, or none, are selected; with the first
 * @property {(target: Target) => void} [onLook] called when something that takes no order was clicked
 */

export class GalaxyMap {
  /** @param {HTMLElement} element the map fills it @param {MapOptions} [options] */
  constructor(element, { onOrder, onSelect, onLook } = {}) {
    this.element = element;
    this.onOrder = onOrder;
    this.onSelect = onSelect;
    this.onLook = onLook;
    this.clock = new GameClock();
    this.camera = new Camera();
    /** @type {View} */
    this.view = emptyView();
    /** @type {Map<Id, Box>} */
    this.boxes = new Map();
    /** By gate, from that gate to its other end. @type {Map<Id, Curve>} */
    this.curves = new Map();
    /** @type {Id | null} */
    this.player = null;
    this.selection = new Selection(() => {
      this.onSelect?.(this.selected);
      this.request();
    });
    /** The frame that is being drawn to select what is in it, on the screen. @type {[Spot, Spot] | null} */
    this.lasso = null;
    /** Orders that the server has not yet. @type {Order[]} */
    this.pending = [];
    /** @type {Mark[]} */
    this.marks = [];
    /** @type {Target | null} */
    this.hovered = null;
    /** @type {Spot | null} */
    this.pointer = null;
    /** @type {{spot: Spot, startMs: number}[]} spots on the plane */
    this.rings = [];
    /** Frames painted so far. */
    this.frames = 0;
    /** Whether the user has chosen what is in sight; until then everything is kept in sight. */
    this.steered = false;
    this.layoutStale = true;
    this.baseStale = true;
    this.frameAsked = 0;
    this.clickTimer = 0;
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.build();
  }

  /** Make the canvases and listen. */
  build() {
    const { element } = this;
    if (getComputedStyle(element).position === "static") element.style.position = "relative";
    element.style.overflow = "hidden";
    element.style.background = PALETTE.ground;
    element.tabIndex = 0;
    this.base = document.createElement("canvas");
    this.live = document.createElement("canvas");
    for (const canvas of [this.base, this.live]) {
      Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%" });
      element.append(canvas);
    }
    this.live.style.touchAction = "none";
    this.live.setAttribute("aria-hidden", "true");
    this.tooltip = new Tooltip(element);
    this.pointers = new Pointers(this.live, {
      click: (spot, event) => this.clicked(spot, event),
      doubleClick: (spot) => this.doubleClicked(spot),
      hover: (spot) => this.hover(spot),
      pan: (dx, dy) => this.steer(() => this.camera.pan(dx, dy)),
      zoom: (factor, anchor) => this.steer(() => this.camera.zoomAt(factor, anchor)),
      lasso: (from, to, ended) => this.lassoed(from, to, ended),
    });
    element.addEventListener("keydown", this.onKey);
    this.resizing = new ResizeObserver(() => this.resized());
    this.resizing.observe(element);
    this.resized();
  }

  /** Stop, and take everything out of the element. */
  destroy() {
    cancelAnimationFrame(this.frameAsked);
    clearTimeout(this.clickTimer);
    this.frameAsked = -1;
    this.resizing?.disconnect();
    this.pointers?.destroy();
    this.element.removeEventListener("keydown", this.onKey);
    this.tooltip?.destroy();
    this.base?.remove();
    this.live?.remove();
  }

  // What is shown

  /** Show a view. It is kept, not copied: after changing it, call `changed`. @param {View} view */
  setView(view) {
    this.view = Object.assign(view, { ...emptyView(), ...view });
    this.changed();
  }

  /** Merge a patch into the view that is shown. @param {Changes} changes */
  merge(changes) {
    merge(this.view, changes);
    this.changed(changes);
  }

  /** Say that the view was changed. @param {Changes} [changes] what changed; everything when it is not given */
  changed(changes) {
    if (!changes || changes.sectors || changes.gates) this.layoutStale = true;
    if (!changes || changes.sectors || changes.gates || changes.stations) this.baseStale = true;
    this.selection.keep((id) => this.view.ships[id] !== undefined);
    this.request();
  }

  /** Set the clock by what the server said. @param {ClockSetting} setting */
  setClock(setting) {
    this.clock.set(setting, performance.now());
    this.request();
  }

  /** Let the clock stand still until the next `setClock`. */
  holdClock() {
    this.clock.hold(performance.now());
  }

  /** Say whose ships are the user's own. @param {Id | null} player */
  setPlayer(player) {
    this.player = player;
    this.request();
  }

  /** Show the goals of orders that wait for the connection. @param {Order[]} orders */
  setPending(orders) {
    this.pending = orders;
    this.request();
  }

  /** Say how much of each side something else covers, in pixels. @param {import("./layout.js").Bounds} insets */
  setInsets(insets) {
    if (JSON.stringify(insets) === JSON.stringify(this.camera.insets)) return;
    const corner = this.camera.toPlane({ x: 0, y: 0 });
    this.camera.insets = insets;
    if (!this.steered) {
      this.frameAll(false);
    } else {
      // What the user has chosen to see stays where it is on the screen.
      const { x, y } = this.camera.toScreen(corner);
      this.camera.pan(-x, -y);
    }
    this.baseStale = true;
    this.request();
  }

  /** The selected ship that is looked at; the first when there are many. @returns {Id | null} */
  get selected() {
    return this.selection.first;
  }

  /** Select a ship, or none. @param {Id | null} ship */
  select(ship) {
    this.selection.set(ship === null ? [] : [ship]);
  }

  // What is in sight

  /** @param {boolean} [smoothly] */
  frameAll(smoothly = true) {
    this.layout();
    this.steered = false;
    this.go(this.camera.sightOf(boundsOf(this.boxes.values())), smoothly);
  }

  /** Bring sectors into sight. @param {Iterable<Id>} sectors @param {boolean} [smoothly] */
  frameSectors(sectors, smoothly = true) {
    this.layout();
    const boxes = [...sectors].flatMap((id) => this.boxes.get(id) ?? []);
    if (!boxes.length) return;
    this.steered = true;
    this.go(this.camera.sightOf(boundsOf(boxes), 48), smoothly);
  }

  /**
   * Show everything; but where that would be too small to use, what is around a ship.
   * @param {Id | undefined} ship
   */
  frameFirst(ship) {
    this.frameAll(false);
    const at = boxPixels(this.camera) < USEFUL_BOX_PX && ship ? this.view.ships[ship] : undefined;
    const place = at && placeOf(this.view, at, this.clock.at(performance.now()));
    const sector = place?.type === "sector" ? place.sector : place && this.view.gates[place.gate]?.sector;
    if (sector) this.frameSectors(sectorsAround(this.view, sector, 2), false);
  }

  /** Zoom about the middle. @param {number} factor more than 1 comes nearer */
  zoomBy(factor) {
    this.steered = true;
    this.go(this.camera.zoomed(factor, this.camera.middle), true);
  }

  /** Make sure that a ship is in sight. @param {Id} id */
  reveal(id) {
    const spot = this.spotOnScreen({ ship: id });
    const { left, top, right, bottom } = this.camera.insets;
    const { width, height } = this.camera;
    if (!spot || (spot.x > left && spot.x < width - right && spot.y > top && spot.y < height - bottom)) return;
    this.steered = true;
    this.go({ ...this.camera.toPlane(spot), scale: this.camera.sight.scale }, true);
  }

  /**
   * Where something is on the page, in client pixels.
   * @param {{ship?: Id, station?: Id, gate?: Id, sector?: Id, x?: number, y?: number}} what
   * @returns {Spot | null}
   */
  screenOf(what) {
    this.layout();
    const spot = this.spotOnScreen(what);
    const { left, top } = this.element.getBoundingClientRect();
    return spot && { x: spot.x + left, y: spot.y + top };
  }

  /**
   * The same within the map.
   * @param {{ship?: Id, station?: Id, gate?: Id, sector?: Id, x?: number, y?: number}} what
   * @returns {Spot | null}
   */
  spotOnScreen({ ship, station, gate, sector, x = 0, y = 0 }) {
    if (ship) {
      this.placeMarks(performance.now());
      return this.marks.find((mark) => mark.id === ship) ?? null;
    }
    const held = station ? this.view.stations[station] : gate ? this.view.gates[gate] : { sector: sector ?? "", x, y };
    const box = held && this.boxes.get(held.sector);
    return box ? this.camera.toScreen(planeOf(box, held.x, held.y)) : null;
  }

  /** @param {import("./camera.js").Sight} sight @param {boolean} smoothly */
  go(sight, smoothly) {
    const still = !smoothly || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.camera.go(sight, still ? undefined : performance.now());
    this.baseStale = true;
    this.request();
  }

  /** @param {() => void} move */
  steer(move) {
    this.steered = true;
    move();
    this.baseStale = true;
    this.request();
  }

  /** Fit the canvases to the element and the screen. */
  resized() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = globalThis.devicePixelRatio || 1;
    this.camera.width = width;
    this.camera.height = height;
    for (const canvas of [this.base, this.live]) {
      if (!canvas) continue;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.ratio = ratio;
    this.baseStale = true;
    if (!this.steered) this.frameAll(false);
    // At once: a canvas is blank after a change of its size.
    if (this.frameAsked >= 0) this.frame();
  }

  /** Place boxes and curves anew where sectors or gates have changed. */
  layout() {
    if (!this.layoutStale) return;
    this.layoutStale = false;
    const before = this.boxes.size;
    this.boxes = layoutSectors(this.view.sectors);
    this.curves.clear();
    for (const [id, gate] of Object.entries(this.view.gates)) {
      const box = this.boxes.get(gate.sector);
      const exit = gate.to === null ? undefined : this.view.gates[gate.to];
      const otherBox = exit && this.boxes.get(exit.sector);
      if (box && exit && otherBox) this.curves.set(id, gateCurve(box, gate, otherBox, exit));
    }
    if (this.boxes.size !== before && !this.steered) this.frameAll(false);
  }

  // Painting

  /** What the painters read. @returns {Scene} */
  get scene() {
    return { view: this.view, boxes: this.boxes, curves: this.curves, camera: this.camera };
  }

  /** Ask for a frame. */
  request() {
    if (this.frameAsked === 0) this.frameAsked = requestAnimationFrame(() => this.frame());
  }

  /** Paint one frame, and ask for the next while something moves. */
  frame() {
    cancelAnimationFrame(this.frameAsked);
    this.frameAsked = 0;
    this.frames += 1;
    const now = performance.now();
    if ((globalThis.devicePixelRatio || 1) !== this.ratio) return this.resized();
    this.layout();
    if (this.camera.step(now)) this.baseStale = true;
    const { scene } = this;
    const base = this.base?.getContext("2d");
    const live = this.live?.getContext("2d");
    if (!base || !live) return;
    if (this.baseStale) paintBase(base, scene);
    this.baseStale = false;
    const flying = this.placeMarks(now);
    this.rings = this.rings.filter(({ startMs }) => now - startMs < RING_MS);
    this.paintLive(live, scene, now);
    if (this.pointer) this.hover(this.pointer, false);
    if ((flying && this.clock.running(now)) || this.camera.glide || this.rings.length) this.request();
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now */
  paintLive(ctx, scene, now) {
    const { camera, view, boxes } = scene;
    ctx.clearRect(0, 0, camera.width, camera.height);
    const tick = this.clock.at(now);
    const box = this.hovered?.type === "sector" ? boxes.get(this.hovered.id) : undefined;
    if (box) paintHoveredBox(ctx, camera, box);
    for (const id of this.selection.ids) {
      const ship = view.ships[id];
      const route = ship && routeOf(view, ship, tick);
      if (!route) continue;
      paintRoute(ctx, scene, route);
      if (id === this.selected) paintEtas(ctx, scene, route, tick, this.clock.tickHz);
    }
    this.paintPending(ctx, scene);
    for (const { spot, startMs } of this.rings) paintRing(ctx, camera.toScreen(spot), 8, (now - startMs) / RING_MS);
    const hovered =
      this.hovered && this.hovered.type !== "sector"
        ? this.spotOnScreen({ [this.hovered.type]: this.hovered.id })
        : null;
    if (hovered) paintRing(ctx, hovered, glyphRadius(camera) + 6, 0);
    for (const mark of this.marks) {
      if (!this.selection.has(mark.id) && camera.sees(mark, 12)) paintShip(ctx, camera, mark, false);
    }
    for (const mark of this.marks) if (this.selection.has(mark.id)) paintShip(ctx, camera, mark, true);
    paintShipNames(ctx, camera, this.marks, this.selection.ids);
    if (this.lasso) paintFrame(ctx, ...this.lasso);
  }

  /** The goals of orders that wait. @param {CanvasRenderingContext2D} ctx @param {Scene} scene */
  paintPending(ctx, scene) {
    for (const { to } of this.pending) {
      const goal = spotOf(this.view, to);
      if (goal) paintWaitingGoal(ctx, scene, goal);
    }
  }

  /**
   * Find out where every ship is on the screen.
   * @param {number} now
   * @returns {boolean} whether any of them is under way
   */
  placeMarks(now) {
    const { marks, flying } = marksOf(this.scene, this.clock.at(now), this.player);
    this.marks = marks;
    return flying;
  }

  // Pointers and keys

  /** The selected ships that take orders from the user. @returns {Id[]} */
  get commanded() {
    return [...this.selection.ids].filter((id) => this.isOwn(id));
  }

  /** Whether anything selected takes orders from the user. */
  get commands() {
    return this.commanded.length > 0;
  }

  /** @param {Id} id */
  isOwn(id) {
    return this.player !== null && this.view.ships[id]?.owner === this.player;
  }

  /**
   * What a click at a spot is about: while own ships are selected, others' are no goals and in nobody's way.
   * @param {Spot} spot
   * @param {number} reach
   */
  clickable(spot, reach) {
    const marks = this.commands ? this.marks.filter(({ own }) => own) : this.marks;
    return targetAt(this.scene, marks, spot, reach);
  }

  /**
   * A frame is drawn with Shift: the own ships in it will be selected.
   * @param {Spot} from
   * @param {Spot} to
   * @param {boolean} ended
   */
  lassoed(from, to, ended) {
    this.lasso = ended ? null : [from, to];
    this.request();
    if (!ended) return;
    this.placeMarks(performance.now());
    const within = (/** @type {"x" | "y"} */ axis, /** @type {Mark} */ mark) =>
      mark[axis] >= Math.min(from[axis], to[axis]) && mark[axis] <= Math.max(from[axis], to[axis]);
    const inside = this.marks.filter((mark) => mark.own && within("x", mark) && within("y", mark));
    if (inside.length) this.selection.set([...this.commanded, ...inside.map(({ id }) => id)]);
  }

  /** @param {Spot | null} spot @param {boolean} [repaint] */
  hover(spot, repaint = true) {
    this.pointer = spot;
    const before = JSON.stringify(this.hovered);
    this.hovered = spot && targetAt(this.scene, this.marks, spot, MOUSE_PX);
    const words = this.hovered && wordsFor(this.view, this.hovered, namesShown(this.camera));
    this.tooltip?.show(words, spot ?? undefined);
    if (this.live)
      this.live.style.cursor =
        this.hovered?.type === "ship" ? "pointer" : this.commands && this.hovered ? "crosshair" : "grab";
    if (repaint && before !== JSON.stringify(this.hovered)) this.request();
  }

  /** @param {Spot} spot @param {PointerEvent} event */
  clicked(spot, event) {
    this.placeMarks(performance.now());
    const touch = event.pointerType !== "mouse";
    const target = this.clickable(spot, touch ? FINGER_PX : MOUSE_PX);
    if (target?.type === "ship") {
      if (event.shiftKey && this.isOwn(target.id))
        this.selection.set(
          new Set(this.commanded).has(target.id)
            ? this.commanded.filter((id) => id !== target.id)
            : [...this.commanded, target.id],
        );
      else this.select(target.id);
      return;
    }
    if (touch && !this.commands)
      this.tooltip?.show(target && wordsFor(this.view, target, namesShown(this.camera)), spot);
    const append = event.shiftKey;
    if (this.commands && target) this.rings.push({ spot: this.camera.toPlane(spot), startMs: performance.now() });
    // A second click makes it a double click, which only frames: the order waits for that.
    clearTimeout(this.clickTimer);
    this.clickTimer = window.setTimeout(
      () => {
        const to = target && destinationOf(target, this.view);
        if (target) this.onLook?.(target);
        if (to && this.commands) for (const ship of this.commanded) this.onOrder?.({ ship, to, append });
        else this.select(null);
      },
      this.selection.size === 0 ? 0 : DOUBLE_CLICK_MS,
    );
    this.request();
  }

  /** @param {Spot} spot */
  doubleClicked(spot) {
    clearTimeout(this.clickTimer);
    this.rings = [];
    const target = targetAt(this.scene, this.marks, spot, MOUSE_PX);
    const sector =
      target?.type === "sector"
        ? target.id
        : target?.type === "station"
          ? this.view.stations[target.id]?.sector
          : target?.type === "gate"
            ? this.view.gates[target.id]?.sector
            : undefined;
    if (sector) this.frameSectors([sector]);
    else if (!target) this.frameAll();
  }

  /** The map's own keys: + and - zoom, 0 shows everything, Escape deselects. @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.zoomBy(1.5);
    else if (event.key === "-" || event.key === "_") this.zoomBy(1 / 1.5);
    else if (event.key === "0") this.frameAll();
    else if (event.key === "Escape") this.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
