/**
 * The orders widget: the player page's panel of ships and orders (`fleet.js`, `orders.js`, `tradeform.js`) beside a map on
 * which a click sends the selected ship. Only how commands leave is the widget's own.
 */

import { lookIn } from "../../web/js/dom.js";
import { Fleet } from "../../web/js/fleet.js";
import { OrderBook } from "../../web/js/orderbook.js";
import { rulesOf } from "../../web/js/trade.js";
import { addMap, showOn } from "./galaxy.js";
import { LiveView } from "./view.js";

/** Whatever may call into the panel's modules. */
const EVENTS = [
  ...["click", "change", "input", "submit", "keydown", "focus", "blur"],
  ...["pointerdown", "pointermove", "pointerup", "pointercancel"],
];
const COUNTDOWN_MS = 500;

/** The player page's elements, of which only the panel is wanted. @param {string} markup of this package's own page */
function panelOf(markup) {
  const parsed = new DOMParser().parseFromString(markup, "text/html");
  const panel = parsed.body.firstElementChild;
  if (!(panel instanceof HTMLElement)) throw new Error("The page's panel has no element.");
  return panel;
}

/** @param {{model: any, el: HTMLElement}} context */
async function render(context) {
  const view = await LiveView.open(context, "gamekit-orders");
  const { model, frame } = view;
  const panel = document.adoptNode(panelOf(model.get("markup")));
  const { map } = addMap(frame.element, {
    onOrder: (order) => command({ type: "move", ...order, append: order.append || fleet.append }),
    onSelect: (ship) => view.set("selected", ship ?? ""),
  });
  frame.element.append(panel);
  // The panel's modules find their elements by id; several of these widgets may be on a page.
  for (const name of EVENTS) frame.element.addEventListener(name, () => lookIn(frame.element), { capture: true });
  lookIn(frame.element);
  const book = new OrderBook();
  const command = (/** @type {any} */ body) => {
    /** @type {any} */
    const entry = { cid: 0, body, sent: true, seq: null };
    book.row(entry).state = "sent";
    view.command(body, ({ state, message = "" }) => {
      if (state === "acknowledged") book.row(entry).state = "acknowledged";
      else book.end(entry, { cid: 0, ...(state === "refused" && { code: state, message }) }, performance.now());
      if (state === "refused") fleet.orders.redraw();
      draw();
    });
    draw();
  };
  const fleet = new Fleet({
    select: (ship, more) => {
      if (more && map.selection.has(ship)) map.selection.set([...map.selection.ids].filter((id) => id !== ship));
      else map.selection.set(more ? [...map.selection.ids, ship] : [ship]);
      draw();
    },
    selectAll: (ships) => map.selection.set(ships),
    command,
    dismiss: (rows) => {
      book.dismiss(rows);
      draw();
    },
    again: (rows) => {
      for (const body of book.dismiss(rows)) command(body);
      draw();
    },
  });
  const draw = () => {
    const { view: game, player, clock } = view.now;
    lookIn(frame.element);
    fleet.update({ view: map.view, player, selection: map.selection.ids, rules: rulesOf(game, {}), book });
    fleet.passTime(clock.tick, clock.tickHz);
  };
  const select = () => {
    const ship = model.get("selected") || null;
    if (ship !== map.selected) map.select(ship);
  };
  const resize = () => frame.element.style.setProperty("--height", `${model.get("height")}px`);
  frame.atEnd(() => map.destroy());
  resize();
  view.listen("change:height", resize);
  view.listen("change:selected", () => {
    select();
    draw();
  });
  view.follow((message) => {
    showOn(map, message);
    select();
    draw();
  });
  // Orders that are done go out of sight with the time, also while nothing is heard.
  const counting = window.setInterval(() => draw(), COUNTDOWN_MS);
  frame.atEnd(() => clearInterval(counting));
  return () => frame.close();
}

export default { render };
