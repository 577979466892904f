/**
 * The page's own controls and keys, and how much of the map they cover.
 *
 * @import {PlayPage} from "./play.js"
 */

import { byId } from "./dom.js";
import { shipsOf } from "./model.js";
import { watchSeat } from "./seat.js";

/** Below this width the panels are sheets that come from below. */
const NARROW_PX = 720;

/** Whether the screen is small. */
export function narrow() {
  return innerWidth < NARROW_PX;
}

/** Listen to the page's own controls. @param {PlayPage} page */
export function listen(page) {
  const on = (/** @type {string} */ id, /** @type {() => void} */ act) =>
    byId(id, HTMLElement).addEventListener("click", act);
  on("zoom-in", () => page.map.zoomBy(1.5));
  on("zoom-out", () => page.map.zoomBy(1 / 1.5));
  on("zoom-all", () => page.map.frameAll());
  on("share", async () => (await import("./share.js")).share(page));
  const legend = byId("legend", HTMLUListElement);
  const drawLegend = async () => (await import("./legend.js")).fillLegend(legend);
  legend.closest("details")?.addEventListener("toggle", async () => {
    if (!legend.children.length) await drawLegend();
    measure(page);
  });
  // Whoever was refused starts anew: without the token that was dropped.
  on("retry", () => (page.connection?.state.kind === "refused" ? location.reload() : page.connection?.open()));
  addEventListener("pagehide", () => page.token && page.connection && page.identities?.note(page.connection.queue));
  watchSeat(page);
  // A page that was kept asleep would wake up with an id that another has taken since.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  const wake = () => page.connection?.wake();
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  document.addEventListener("keydown", (event) => key(page, event));
  document.addEventListener("keydown", (event) => event.key === "Tab" && document.body.classList.add("tabbing"));
  document.addEventListener("pointerdown", () => document.body.classList.remove("tabbing"), { capture: true });
  const observed = new ResizeObserver(() => measure(page));
  for (const id of ["panel", "info", "tabs", "banner"]) observed.observe(byId(id, HTMLElement));
  observed.observe(/** @type {HTMLElement} */ (document.querySelector(".bar")));
  addEventListener("resize", () => measure(page));
  measure(page);
}

/** Tell the map what the bar and the panels cover. @param {PlayPage} page */
export function measure(page) {
  const box = (/** @type {string} */ id) => byId(id, HTMLElement).getBoundingClientRect();
  const bar = document.querySelector(".bar")?.getBoundingClientRect();
  const info = box("info");
  const banner = box("banner");
  const covered = Math.max(bar?.bottom ?? 0, banner.bottom);
  // The bar of a small screen has two rows or three, and what hangs below it stands below what is there already.
  const { style } = byId("play", HTMLElement);
  style.setProperty("--bar-bottom", `${bar?.bottom ?? 0}px`);
  style.setProperty("--banner-height", `${banner.height ? banner.height + 8 : 0}px`);
  if (narrow()) {
    const top = Math.min(
      ...[box("panel"), info, box("tabs")].filter(({ height }) => height > 0).map((one) => one.top),
      innerHeight,
    );
    page.map.setInsets({
      left: 0,
      top: covered,
      right: 0,
      bottom: Math.min(innerHeight * 0.62, innerHeight - top),
    });
    return;
  }
  const right = Math.max(0, innerWidth - box("panel").left);
  // Nothing of the galaxy lies under the bar of the panels when all of it is framed.
  const top = Math.max(covered, box("tabs").bottom);
  const legend = document.querySelector(".legend[open]")?.getBoundingClientRect();
  const left = Math.max(info.width ? info.right : 0, legend?.right ?? 0);
  page.map.setInsets({ left, top, right, bottom: 0 });
}

/** @param {PlayPage} page @param {KeyboardEvent} event */
function key(page, event) {
  const typing =
    event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // A panel that is being read is scrolled by the arrows.
  const reading = event.target instanceof HTMLElement && event.target.closest("#info");
  const cycling = !reading && !event.shiftKey;
  if (cycling && event.key === "ArrowDown") cycle(page, 1);
  else if (cycling && event.key === "ArrowUp") cycle(page, -1);
  else return page.map.key(event);
  event.preventDefault();
}

/** Select the next own ship, or the one before. @param {PlayPage} page @param {number} step */
function cycle(page, step) {
  const own = shipsOf(page.model.view, page.player);
  if (!own.length) return;
  const index = own.indexOf(page.map.selected ?? "");
  const next = own[index < 0 ? (step > 0 ? 0 : own.length - 1) : (index + step + own.length) % own.length] ?? null;
  page.map.select(next);
  if (!next) return;
  page.map.reveal(next);
  /** @type {HTMLElement | null} */ (document.querySelector(`button[data-ship="${CSS.escape(next)}"]`))?.focus();
}
