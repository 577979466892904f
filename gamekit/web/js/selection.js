/**
 * Which ships are selected on a map: none, one or many, in the order in which they were chosen. The first is the one
 * that is looked at. Pure.
 *
 * @import {Id} from "./types"
 */

export class Selection {
  /** @param {() => void} changed called after every change */
  constructor(changed) {
    /** @type {Set<Id>} */
    this.ids = new Set();
    this.changed = changed;
  }

  /** The one that is looked at. @returns {Id | null} */
  get first() {
    const [first] = this.ids;
    return first ?? null;
  }

  get size() {
    return this.ids.size;
  }

  /** @param {Id} id */
  has(id) {
    return this.ids.has(id);
  }

  /** Select exactly these. @param {Iterable<Id>} ids */
  set(ids) {
    const next = new Set(ids);
    if (next.size === this.ids.size && [...next].every((id) => this.ids.has(id))) return;
    this.ids = next;
    this.changed();
  }

  /** Take one in, or out if it was. @param {Id} id */
  toggle(id) {
    const next = new Set(this.ids);
    if (!next.delete(id)) next.add(id);
    this.set(next);
  }

  /** Keep only what is still there. @param {(id: Id) => boolean} there */
  keep(there) {
    this.set([...this.ids].filter(there));
  }
}
