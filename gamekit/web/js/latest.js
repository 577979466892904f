/**
 * The latest orders, each with how it stands, from the click on: a shape and a word, so that no colour is needed. What is
 * done goes by itself; a refusal stays with its reason until it is put away or tried again, one by one or all together.
 *
 * @import {View} from "./types"
 * @import {OrderBook, OrderRow} from "./orderbook.js"
 */

import { byId, make, say } from "./dom.js";
import { describeCommand, describeStanding } from "./words.js";

/** Most rows; the rest is counted. */
const ROWS = 6;
const SIGNS = { waiting: "◌", sent: "○", acknowledged: "◉", done: "✓", refused: "✕" };

export class LatestOrders {
  /**
   * @param {(rows: OrderRow[]) => void} dismiss
   * @param {(rows: OrderRow[]) => void} again gives the same orders once more
   */
  constructor(dismiss, again) {
    this.dismiss = dismiss;
    this.again = again;
    this.element = byId("latest", HTMLUListElement);
    this.shown = "";
    /** @type {[View, OrderBook] | null} */
    this.last = null;
  }

  /** @param {View} view @param {OrderBook} book */
  update(view, book) {
    this.last = [view, book];
    const seen = book.seen(performance.now());
    // What is not yet decided comes before what is, if there is not room for all.
    const urgent = [...seen].sort((a, b) => Number(a.state === "done") - Number(b.state === "done"));
    const rows = urgent.slice(0, ROWS).sort((a, b) => a.key - b.key);
    const more = seen.length - rows.length;
    const { refused } = book;
    const told = rows.map((row) => [row.key, row.state, describeCommand(view, row.body)]);
    const saying = JSON.stringify([told, more, refused.length]);
    if (saying === this.shown) return;
    this.shown = saying;
    this.element.hidden = rows.length === 0;
    const items = rows.map((row) => this.item(view, row));
    if (more) items.push(make("li", { className: "more", text: `and ${more} more` }));
    if (refused.length > 1) items.unshift(this.together(refused));
    this.element.replaceChildren(...items);
  }

  /** Rows that are done go with the time. */
  passTime() {
    if (this.last && this.shown !== "[[],0,0]") this.update(...this.last);
  }

  /** @param {View} view @param {OrderRow} row */
  item(view, row) {
    const what = make("bdi", { className: "what", text: describeCommand(view, row.body) });
    const standing = make("span", { className: "standing", text: describeStanding(row) });
    const sign = make("i", { text: SIGNS[row.state] });
    sign.setAttribute("aria-hidden", "true");
    const item = make("li", { testid: "latest-order" }, sign, make("span", { className: "said" }, what, " ", standing));
    item.dataset.state = row.state;
    if (row.state === "refused") {
      const said = describeCommand(view, row.body);
      const again = make("button", { className: "cancel", text: "↻", label: `Try again: ${said}` });
      const away = make("button", { className: "cancel", text: "×", label: `Put away: ${said}` });
      again.addEventListener("click", () => this.again([row]));
      away.addEventListener("click", () => this.dismiss([row]));
      item.append(again, away);
    }
    return item;
  }

  /** What can be done with all refusals at once, also with those that have no row. @param {OrderRow[]} refused */
  together(refused) {
    const text = make("span", { className: "said", text: `${refused.length} refused` });
    const again = make("button", { className: "small", text: "Try all again", testid: "refused-again" });
    const away = make("button", { className: "small", text: "Put all away", testid: "refused-away" });
    again.addEventListener("click", () => this.again(refused));
    away.addEventListener("click", () => this.dismiss(refused));
    const item = make("li", { className: "together" }, text, again, away);
    item.dataset.state = "refused";
    return item;
  }
}

/** How many orders wait, in the bar. @param {number} count @param {boolean} live @param {string} text */
export function showPending(count, live, text) {
  const element = byId("pending", HTMLElement);
  element.hidden = count === 0;
  element.dataset.count = String(count);
  element.classList.toggle("brief", live);
  say(element, text);
}
