/**
 * How busy the passages between sectors are: every jump counts for one at first and fades with game time. From the
 * count comes a level, of which there are few, so that the map's ground is painted anew only now and then. Pure.
 *
 * @import {Id, View} from "./types"
 * @import {Ground, Lane} from "./ground.js"
 */

/** Game time in which a jump comes to count half, in ticks: two minutes. */
const HALF_TICKS = 1200;
/** Least counts of the levels 1, 2 and 3. */
const LEVELS = [0.6, 5, 40];
/** Jumps are forgotten once they count less than this. */
const FORGOTTEN = 0.05;

export class Traffic {
  constructor() {
    /** By the lane's first gate. @type {Map<Id, {count: number, tick: number}>} */
    this.counts = new Map();
    /** The jump that each ship was last counted for: when it began. @type {Map<Id, number>} */
    this.counted = new Map();
  }

  /**
   * Count the jumps that ships are in.
   * @param {View} view
   * @param {Ground} ground
   * @param {Iterable<Id>} [ships] that have changed; all when it is not given
   */
  note(view, ground, ships) {
    if (!ships) for (const id of this.counted.keys()) if (!view.ships[id]) this.counted.delete(id);
    for (const id of ships ?? Object.keys(view.ships)) {
      const at = view.ships[id]?.at;
      if (!at) this.counted.delete(id);
      if (at?.type !== "gate" || this.counted.get(id) === at.depart) continue;
      this.counted.set(id, at.depart);
      const lane = ground.lanes.get(at.gate);
      if (lane) this.add(lane.gate, at.depart);
    }
  }

  /** @param {Id} gate @param {number} tick */
  add(gate, tick) {
    const held = this.counts.get(gate);
    if (!held) this.counts.set(gate, { count: 1, tick });
    else if (tick < held.tick) held.count += 2 ** ((tick - held.tick) / HALF_TICKS);
    else [held.count, held.tick] = [this.countOf(gate, tick) + 1, tick];
  }

  /** @param {Id} gate @param {number} tick @returns {number} jumps, the older the less */
  countOf(gate, tick) {
    const held = this.counts.get(gate);
    return held ? held.count * 2 ** (-Math.max(0, tick - held.tick) / HALF_TICKS) : 0;
  }

  /** From 0 for a quiet lane to 3. @param {Id} gate @param {number} tick */
  levelOf(gate, tick) {
    const count = this.countOf(gate, tick);
    return LEVELS.filter((least) => count >= least).length;
  }

  /**
   * Give every lane its level.
   * @param {Iterable<Lane>} lanes
   * @param {number} tick
   * @returns {boolean} whether any has another one now
   */
  grade(lanes, tick) {
    let changed = false;
    for (const lane of lanes) {
      const level = this.levelOf(lane.gate, tick);
      if (level !== lane.busy) changed = true;
      lane.busy = level;
      if (!level && this.countOf(lane.gate, tick) < FORGOTTEN) this.counts.delete(lane.gate);
    }
    return changed;
  }
}
