/**
 * The orders of the selected ships: for one ship its queue, order by order, to be put into another sequence or taken
 * out, and a form to trade; for one or many: where to send them, stop, auto-trade.
 *
 * @import {Body, Destination, Id, QueueEntry, Ship, View} from "./types"
 * @import {Shown} from "./fleet.js"
 */

import { byId, make, say } from "./dom.js";
import { DragSort } from "./dragsort.js";
import { formatSpan } from "./model.js";
import { editionOf, fillWhenWanted, isLarge, placesBySector } from "./places.js";
import { Rename } from "./rename.js";
import { TradeForm } from "./tradeform.js";
import { describeEntry, describeOrder } from "./words.js";

const REFILLED = "data-filled-for";

export class Orders {
  /** @param {(body: Body) => void} command */
  constructor(command) {
    this.command = command;
    this.element = byId("orders", HTMLElement);
    this.queue = byId("queue", HTMLOListElement);
    this.goals = byId("send", HTMLSelectElement);
    this.appending = byId("append", HTMLInputElement);
    this.auto = byId("auto", HTMLInputElement);
    this.trade = new TradeForm(command);
    this.rename = new Rename(command);
    /** @type {Id[]} */
    this.ships = [];
    this.queueShown = "";
    /** @type {View | null} */
    this.known = null;
    /** Whether somebody is about to open the list of goals. */
    this.opening = false;
    fillWhenWanted(this.goals, () => {
      this.opening = true;
      if (this.known) this.listGoals(this.known);
      this.opening = false;
    });
    /** @type {{element: HTMLElement, eta: number}[]} */
    this.etas = [];
    const tap = matchMedia("(hover: none)").matches ? "Tap" : "Click";
    const shift = tap === "Click" ? "; Shift adds to the queue" : "";
    this.hints = {
      idle: `${tap} a place, station or gate on the map to send it there.`,
      flying: `${tap} the map to change its course${shift}.`,
      many: `${tap} the map to send them all${shift}.`,
    };
    this.sorting = new DragSort(this.queue, ".order", {
      sorted: (items) => this.sorted(items),
      said: (text) => say(byId("queue-said", HTMLElement), text),
    });
    this.listen();
  }

  listen() {
    byId("stop", HTMLButtonElement).addEventListener("click", () => {
      for (const ship of this.ships) this.command({ type: "stop", ship });
    });
    this.auto.addEventListener("change", () => {
      for (const ship of this.ships) this.command({ type: "auto_trade", ship, on: this.auto.checked });
    });
    // Browsers differ in what Enter does on a list: open it, send its form, nothing.
    this.goals.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.goals.value) return;
      event.preventDefault();
      this.send();
    });
    byId("send-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  /** Whether orders are to be added to the queue, and do not replace it. */
  get append() {
    return this.appending.checked;
  }

  /** @param {Shown} shown @param {Id[]} chosen own ships that are selected */
  update(shown, chosen) {
    const { view } = shown;
    this.ships = chosen;
    const ships = chosen.flatMap((id) => view.ships[id] ?? []);
    this.element.hidden = ships.length === 0;
    if (!ships.length) return;
    const [id, ship] = [chosen[0], ships[0]];
    const one = ships.length === 1;
    this.queue.hidden = !one;
    if (one && id && ship) this.showQueue(view, id, ship);
    say(byId("hold", HTMLElement), one && ship ? cargo(view, ship) : `${ships.length} ships take the next orders`);
    say(byId("hint", HTMLElement), !one ? this.hints.many : ship?.queue?.length ? this.hints.flying : this.hints.idle);
    const trading = chosen.filter(
      (ship) => shown.book.wanted(ship, "auto_trade")?.on ?? view.ships[ship]?.auto_trade,
    ).length;
    this.auto.indeterminate = trading > 0 && trading < ships.length;
    this.auto.checked = trading === ships.length;
    const alone = one && id && ship ? { id, ship } : null;
    this.rename.update(alone);
    this.trade.update(shown, alone);
    this.fillGoals(view);
  }

  /** @param {View} view @param {Id} id @param {Ship} ship */
  showQueue(view, id, ship) {
    if (this.sorting.busy) return;
    const queue = ship.queue ?? [];
    const saying = JSON.stringify([id, queue]);
    if (saying === this.queueShown) return;
    this.queueShown = saying;
    this.etas = [];
    // Who moves an order by keys goes on with the same one.
    const gripped = document.activeElement?.closest?.(".order")?.getAttribute("data-order");
    /** @type {QueueEntry[][]} */
    const orders = [];
    for (const entry of queue) {
      const last = orders.at(-1);
      if (last?.[0]?.order === entry.order) last.push(entry);
      else orders.push([entry]);
    }
    this.queue.replaceChildren(...orders.map((entries) => this.orderRow(view, id, entries, orders.length > 1)));
    if (gripped) this.gripOf(gripped)?.focus();
  }

  /** @param {string} order */
  gripOf(order) {
    return /** @type {HTMLElement | null} */ (this.queue.querySelector(`[data-order="${CSS.escape(order)}"] .grip`));
  }

  /** Draw the queue anew at the next occasion, for when a new sequence was refused. */
  redraw() {
    this.queueShown = "";
  }

  /** @param {View} view @param {Id} ship @param {QueueEntry[]} entries of one order @param {boolean} sortable */
  orderRow(view, ship, entries, sortable) {
    const text = describeOrder(view, entries);
    const grip = make("button", {
      className: "grip",
      text: "⠿",
      label: `Move with the arrow keys: ${text}`,
      testid: "grip",
    });
    grip.title = "Drag, or use the arrow keys";
    const cancel = make("button", { className: "cancel", text: "×", label: `Take out: ${text}`, testid: "cancel" });
    const last = entries.at(-1)?.id;
    cancel.addEventListener("click", () => this.command({ type: "cancel", ship, entry: last }));
    const head = make("div", { className: "head" }, make("bdi", { className: "step", text }), cancel);
    if (sortable) head.prepend(grip);
    const steps = make("ol", { className: "steps" }, ...entries.map((entry) => this.stepRow(view, entry)));
    const row = make("li", { className: "order", testid: "queue-order" }, head, steps);
    row.dataset.order = String(entries[0]?.order);
    return row;
  }

  /** @param {View} view @param {QueueEntry} entry */
  stepRow(view, entry) {
    const eta = make("span", { className: "eta" });
    if (typeof entry.eta === "number") this.etas.push({ element: eta, eta: entry.eta });
    else eta.textContent = entry.status === "waiting" ? "waits" : "";
    const row = make(
      "li",
      { testid: "queue-entry" },
      make("bdi", { className: "step", text: describeEntry(view, entry) }),
      eta,
    );
    row.dataset.status = entry.status;
    row.dataset.type = entry.type;
    row.dataset.entry = String(entry.id);
    const said = { active: "under way", waiting: "waiting", queued: "later" }[entry.status] ?? entry.status;
    row.append(make("span", { className: "unseen", text: said }));
    return row;
  }

  /** @param {HTMLElement[]} items */
  sorted(items) {
    const [ship] = this.ships;
    const orders = items.map(({ dataset }) => Number(dataset.order));
    const before = JSON.parse(this.queueShown || "[]")[1]?.map((/** @type {QueueEntry} */ { order }) => order) ?? [];
    if (ship && JSON.stringify(orders) !== JSON.stringify([...new Set(before)]))
      this.command({ type: "reorder", ship, orders });
  }

  /** Count down to the steps' ends. @param {number} tick @param {number} tickHz */
  passTime(tick, tickHz) {
    for (const { element, eta } of this.etas) say(element, eta > tick ? formatSpan(eta - tick, tickHz) : "");
  }

  /** Offer every sector and station to send a ship to, for keyboards and small screens. @param {View} view */
  fillGoals(view) {
    this.known = view;
    this.listGoals(view);
  }

  /** @param {View} view */
  listGoals(view) {
    const filledFor = editionOf(view);
    if (this.goals.getAttribute(REFILLED) === filledFor) return;
    const option = (/** @type {string} */ text, /** @type {Destination | null} */ to) => {
      const made = make("option", { text });
      made.value = to ? JSON.stringify(to) : "";
      return made;
    };
    if (!this.goals.options.length) this.goals.append(option("a place…", null));
    if (isLarge(view) && document.activeElement !== this.goals && !this.opening) return;
    this.goals.setAttribute(REFILLED, filledFor);
    const groups = placesBySector(view, (station) => JSON.stringify({ station })).map(({ id, name, group }) => {
      group.prepend(option(`${name}, the middle`, { sector: id, x: 0, y: 0 }));
      return group;
    });
    this.goals.replaceChildren(option("a place…", null), ...groups);
  }

  /** The chosen goal as an order. */
  send() {
    if (!this.goals.value) this.goals.focus();
    if (!this.goals.value) return;
    const to = JSON.parse(this.goals.value);
    this.goals.value = "";
    for (const ship of this.ships) this.command({ type: "move", ship, to, append: this.append });
  }
}

/** A ship's class and load in words. @param {View} view @param {Ship} ship */
function cargo(view, ship) {
  const load = Object.entries(ship.hold ?? {}).filter(([, units]) => units > 0);
  const used = load.reduce((sum, [ware, units]) => sum + units * (view.wares[ware]?.volume ?? 0), 0);
  const words = load.map(([ware, units]) => `${units} ${view.wares[ware]?.name ?? ware}`).join(", ");
  return `${ship.class}, hold ${used} of ${ship.capacity}: ${words || "empty"}`;
}
