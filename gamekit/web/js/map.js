/**
 * The galaxy map, shared by the player page and the notebook's widget: a view at the clock's tick, on a canvas.
 *
 * It owns what is shown: the view that it was given, the clock, the camera, the selection. It does not own the game and
 * asks for orders by `onOrder`. When to paint is the stage's affair (`stage.js`), how it looks the painter's (`painter.js`),
 * what a pointer means `aiming.js`.
 *
 * @import {Changes, ClockSetting, Id, Order, Target, View} from "./types"
 * @import {Spot} from "./layout.js"
 * @import {Scene} from "./paint.js"
 */

import { Aiming } from "./aiming.js";
import { Camera } from "./camera.js";
import { Ground } from "./ground.js";
import { PALETTE } from "./glyphs.js";
import { boundsOf, planeOf } from "./layout.js";
import { Marks } from "./marks.js";
import { GameClock, emptyView, merge, placeOf, sectorsAround } from "./model.js";
import { Painter } from "./painter.js";
import { Selection } from "./selection.js";
import { boxPixels, USEFUL_BOX_PX } from "./sizes.js";
import { PAD, Stage } from "./stage.js";
import { Traffic } from "./traffic.js";

/** How often it is looked whether lanes have become more or less busy, in milliseconds. */
const GRADE_MS = 2000;

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
    this.ground = new Ground();
    this.marks = new Marks();
    this.traffic = new Traffic();
    /** What the painters read. @type {Scene} */
    this.scene = { view: emptyView(), ground: this.ground, camera: this.camera };
    /** @type {Id | null} */
    this.player = null;
    this.selection = new Selection(() => {
      this.onSelect?.(this.selected);
      this.request();
    });
    /** Orders that the server has not yet. @type {Order[]} */
    this.pending = [];
    /** @type {{spot: Spot, startMs: number}[]} spots on the plane */
    this.rings = [];
    /** Whether the user has chosen what is in sight; until then everything is kept in sight. */
    this.steered = false;
    this.layoutStale = true;
    this.gradedMs = -Infinity;
    if (getComputedStyle(element).position === "static") element.style.position = "relative";
    element.style.overflow = "hidden";
    element.style.background = PALETTE.ground;
    element.tabIndex = 0;
    this.painter = new Painter(this);
    this.stage = new Stage(element, this.camera, {
      prepare: (now) => this.prepare(now),
      paintBase: (ctx) => this.painter.paintBase(ctx),
      paintLive: (ctx, now) => this.painter.paintLive(ctx, now),
      sectorsSeen: () => this.ground.zonesSeen,
      fit: () => this.steered || this.frameAll(false),
    });
    this.aiming = new Aiming(this);
    this.stage.open();
  }

  /** Stop, and take everything out of the element. */
  destroy() {
    this.aiming.destroy();
    this.stage.destroy();
  }

  // What is shown

  /** @returns {View} */
  get view() {
    return this.scene.view;
  }

  /** Show a view. It is kept, not copied: after changing it, call `changed`. @param {View} view */
  setView(view) {
    this.scene.view = Object.assign(view, { ...emptyView(), ...view });
    this.changed();
  }

  /** Merge a patch into the view that is shown. @param {Changes} changes */
  merge(changes) {
    merge(this.view, changes);
    this.changed(changes);
  }

  /** Say that the view was changed. @param {Changes} [changes] what changed; everything when it is not given */
  changed(changes) {
    const { view } = this;
    if (!changes || changes.sectors || movesGates(changes.gates)) this.layoutStale = true;
    const ships = changes && !newcomers(changes.players) ? Object.keys(changes.ships ?? {}) : undefined;
    if (!this.layoutStale) {
      if (changes?.gates || changes?.stations) this.ground.refresh(view);
      this.marks.update(view, this.ground, this.player, ships);
      this.traffic.note(view, this.ground, ships);
    }
    if (changes?.gates || this.painter.looksChanged(changes?.stations)) this.stage.baseStale = true;
    this.selection.keep((id) => view.ships[id] !== undefined);
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
    if (player === this.player) return;
    this.player = player;
    if (!this.layoutStale) this.marks.update(this.view, this.ground, player);
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
    const { selected } = this;
    const watched = selected !== null && this.inSight(selected);
    this.camera.insets = insets;
    if (!this.steered) {
      this.frameAll(false);
    } else {
      // What the user has chosen to see stays where it is on the screen.
      const { x, y } = this.camera.toScreen(corner);
      this.camera.pan(-x, -y);
      // But what is selected does not go under what has just come up.
      if (watched) this.reveal(selected, false);
    }
    this.stage.spoilBase();
  }

  /** The selected ship that is looked at; the first when there are many. @returns {Id | null} */
  get selected() {
    return this.selection.first;
  }

  /** Select a ship, or none. @param {Id | null} ship */
  select(ship) {
    this.selection.set(ship === null ? [] : [ship]);
  }

  /** The selected ships that take orders from the user. @returns {Id[]} */
  get commanded() {
    return [...this.selection.ids].filter((id) => this.isOwn(id));
  }

  /** Whether anything selected takes orders from the user. */
  get commands() {
    for (const id of this.selection.ids) if (this.isOwn(id)) return true;
    return false;
  }

  /** @param {Id} id */
  isOwn(id) {
    return this.player !== null && this.view.ships[id]?.owner === this.player;
  }

  /** The map's own keys, pressed elsewhere. @param {KeyboardEvent} event */
  key(event) {
    this.aiming.key(event);
  }

  // What is in sight

  /** @param {boolean} [smoothly] */
  frameAll(smoothly = true) {
    this.layout();
    this.steered = false;
    this.go(this.camera.sightOf(boundsOf(this.ground.boxes.values())), smoothly);
  }

  /** Bring sectors into sight. @param {Iterable<Id>} sectors @param {boolean} [smoothly] */
  frameSectors(sectors, smoothly = true) {
    this.layout();
    const boxes = [...sectors].flatMap((id) => this.ground.boxes.get(id) ?? []);
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

  /** Whether nothing covers a ship, and it is within the screen. @param {Id} id */
  inSight(id) {
    const spot = this.spotOnScreen({ ship: id });
    const { left, top, right, bottom } = this.camera.insets;
    const { width, height } = this.camera;
    return spot !== null && spot.x > left && spot.x < width - right && spot.y > top && spot.y < height - bottom;
  }

  /** Make sure that a ship is in sight. @param {Id} id @param {boolean} [smoothly] */
  reveal(id, smoothly = true) {
    const spot = this.spotOnScreen({ ship: id });
    if (!spot || this.inSight(id)) return;
    this.steered = true;
    this.go({ ...this.camera.toPlane(spot), scale: this.camera.sight.scale }, smoothly);
  }

  /** Move what is in sight. @param {number} dx pixels @param {number} dy pixels */
  panBy(dx, dy) {
    this.steered = true;
    const { x, y, scale } = this.camera.glide?.to ?? this.camera.sight;
    this.go({ x: x - dx / scale, y: y - dy / scale, scale }, true);
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
      this.ground.look(this.camera, PAD);
      return this.marks.spotOf(ship, this.camera, this.clock.at(performance.now()));
    }
    const held = station ? this.view.stations[station] : gate ? this.view.gates[gate] : { sector: sector ?? "", x, y };
    const box = held && this.ground.boxes.get(held.sector);
    return box ? this.camera.toScreen(planeOf(box, held.x, held.y)) : null;
  }

  /** @param {import("./camera.js").Sight} sight @param {boolean} smoothly */
  go(sight, smoothly) {
    const still = !smoothly || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.camera.go(sight, still ? undefined : performance.now());
    this.request();
  }

  /** Place sectors and lanes anew where any have come, gone or moved; and with them what is in them. */
  layout() {
    if (!this.layoutStale) return;
    this.layoutStale = false;
    const before = this.ground.boxes.size;
    this.ground.layout(this.view);
    this.ground.refresh(this.view);
    this.traffic.note(this.view, this.ground);
    this.marks.update(this.view, this.ground, this.player);
    this.gradedMs = -Infinity;
    this.stage.baseStale = true;
    if (this.ground.boxes.size !== before && !this.steered) this.frameAll(false);
  }

  // Painting

  /** Ask for a frame. */
  request() {
    this.stage.request();
  }

  /** How many frames were painted so far. */
  get frames() {
    return this.stage.stats.frames;
  }

  /** What painting has cost: frames, how often the ground was painted, times, ships in sight. */
  get stats() {
    const { frames, basePaints, frameMs, medianMs } = this.stage.stats;
    const { zonesSeen } = this.ground;
    return { frames, basePaints, frameMs, medianMs, shipsDrawn: this.marks.drawn, sectorsSeen: zonesSeen };
  }

  /** Before a frame is painted. @param {number} now */
  prepare(now) {
    this.layout();
    if (now - this.gradedMs < GRADE_MS) return;
    this.gradedMs = now;
    if (this.traffic.grade(this.ground.passages, this.clock.at(now))) this.stage.baseStale = true;
  }

  /** A ring that fades, where something was ordered. @param {Spot} spot on the screen */
  ring(spot) {
    this.rings.push({ spot: this.camera.toPlane(spot), startMs: performance.now() });
  }

  /**
   * Find out where the ships in sight are on the screen.
   * @param {number} now
   * @returns {boolean} whether any of them is under way
   */
  placeMarks(now) {
    this.ground.look(this.camera, PAD);
    return this.marks.place(this.camera, this.clock.at(now));
  }
}

/**
 * Whether a patch of gates makes or moves lanes; one that opens or closes gates does not.
 * @param {unknown} gates
 */
function movesGates(gates) {
  const patches = Object.values(/** @type {Record<Id, Record<string, unknown> | null>} */ (gates ?? {}));
  return patches.some((fields) => !fields || "to" in fields || "sector" in fields || "x" in fields || "y" in fields);
}

/** Whether a patch of players has any that are new, or gone. @param {unknown} players */
function newcomers(players) {
  const patches = Object.values(/** @type {Record<Id, Record<string, unknown> | null>} */ (players ?? {}));
  return patches.some((fields) => !fields || "joined" in fields || "company" in fields);
}
