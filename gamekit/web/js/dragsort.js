/**
 * A list whose items can be put into another sequence: by dragging an item's grip with mouse, pen or finger, or with the
 * arrow keys while the grip has the focus. Only the page's elements move here; what the new sequence means is for the sink.
 */

/**
 * @typedef {object} SortSink
 * @property {(items: HTMLElement[]) => void} sorted the items in their new sequence
 * @property {(text: string) => void} said what happened, for screen readers
 */

export class DragSort {
  /** @param {HTMLElement} list @param {string} items selector of the items @param {SortSink} sink */
  constructor(list, items, sink) {
    this.list = list;
    this.items = items;
    this.sink = sink;
    /** @type {{item: HTMLElement, startY: number, id: number} | null} */
    this.drag = null;
    list.addEventListener("pointerdown", (event) => this.down(event));
    list.addEventListener("pointermove", (event) => this.move(event));
    list.addEventListener("pointerup", (event) => this.drop(event));
    list.addEventListener("pointercancel", (event) => this.drop(event));
    list.addEventListener("keydown", (event) => this.key(event));
  }

  /** Whether an item is being moved, so that the list must not be drawn anew. */
  get busy() {
    return this.drag !== null;
  }

  /** @returns {HTMLElement[]} */
  get sequence() {
    return [.../** @type {NodeListOf<HTMLElement>} */ (this.list.querySelectorAll(this.items))];
  }

  /** The item whose grip an event is on. @param {Event} event */
  gripped(event) {
    const grip = event.target instanceof Element ? event.target.closest(".grip") : null;
    return /** @type {HTMLElement | null} */ (grip?.closest(this.items) ?? null);
  }

  /** @param {PointerEvent} event */
  down(event) {
    const item = this.gripped(event);
    if (!item || event.button !== 0) return;
    this.drag = { item, startY: event.clientY, id: event.pointerId };
    this.list.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const { item } = drag;
    const all = this.sequence;
    const index = all.indexOf(item);
    const [before, after] = [all[index - 1], all[index + 1]];
    const middle = (/** @type {HTMLElement} */ one) => {
      const { top, height } = one.getBoundingClientRect();
      return top + height / 2;
    };
    const topBefore = item.getBoundingClientRect().top;
    if (before && event.clientY < middle(before)) before.before(item);
    else if (after && event.clientY > middle(after)) after.after(item);
    // The item stays under the pointer although its place in the list has changed.
    drag.startY += item.getBoundingClientRect().top - topBefore;
    item.style.transform = `translateY(${Math.round(event.clientY - drag.startY)}px)`;
  }

  /** @param {PointerEvent} event */
  drop(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    this.drag = null;
    drag.item.classList.remove("dragged");
    drag.item.style.transform = "";
    this.sink.sorted(this.sequence);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const item = this.gripped(event);
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (!item || !step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = this.sequence;
    const index = all.indexOf(item);
    const other = all[index + step];
    if (!other) return this.sink.said(step < 0 ? "It is the first already." : "It is the last already.");
    if (step < 0) other.before(item);
    else other.after(item);
    /** @type {HTMLElement | null} */ (item.querySelector(".grip"))?.focus();
    this.sink.said(`Now number ${index + step + 1} of ${all.length}.`);
    this.sink.sorted(this.sequence);
  }
}
