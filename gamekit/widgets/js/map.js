/**
 * The map widget: feeds the shared renderer from the kernel's messages and sends orders back.
 *
 * One mirror for all views of the widget, so that a view which comes later starts from the present; each view's map
 * has a copy of its own to merge into.
 */

import { GalaxyMap } from "../../web/js/map.js";
import { merge } from "../../web/js/model.js";
import { tellWhenShown } from "./shown.js";

const OFFLINE = "Not connected: orders wait and leave in order when the server is back.";
const ENDED = "This connection has ended; the map shows what was seen last.";
const REFUSED_MS = 6000;

/** The mirrors by widget model. @type {WeakMap<object, {message: any, views: Set<(message: any) => void>}>} */
const mirrors = new WeakMap();

/** @param {any} model */
function mirrorOf(model) {
  let mirror = mirrors.get(model);
  if (!mirror) {
    mirror = { message: structuredClone(model.get("start")), views: new Set() };
    mirrors.set(model, mirror);
    const held = mirror;
    model.on("change:start", () => take(held, structuredClone(model.get("start"))));
    model.on("msg:custom", (/** @type {any} */ message) => take(held, message));
  }
  return mirror;
}

/** @param {{message: any, views: Set<(message: any) => void>}} mirror @param {any} message */
function take(mirror, message) {
  if (message.kind === "view") mirror.message = message;
  else if (message.kind === "changes") {
    for (const patch of message.changes) merge(mirror.message.view, structuredClone(patch));
    const { clock, connected, ended } = message;
    mirror.message = { ...mirror.message, clock, connected, ended };
  }
  for (const show of mirror.views) show(message);
}

/** A line of text above the map. @param {HTMLElement} parent */
function addBanner(parent) {
  const banner = document.createElement("div");
  Object.assign(banner.style, {
    position: "absolute", left: "8px", bottom: "8px", padding: "4px 8px", borderRadius: "4px", zIndex: "2",
    background: "rgba(0, 0, 0, 0.75)", color: "#fff", font: "12px system-ui, sans-serif", display: "none",
  });
  banner.setAttribute("role", "status");
  parent.append(banner);
  return banner;
}

/** @param {{model: any}} context */
function initialize({ model }) {
  mirrorOf(model);
}

/** @param {{model: any, el: HTMLElement}} context */
function render({ model, el }) {
  const mirror = mirrorOf(model);
  const frame = document.createElement("div");
  Object.assign(frame.style, { position: "relative", width: "100%", height: `${model.get("height")}px` });
  const ground = document.createElement("div");
  Object.assign(ground.style, { position: "absolute", inset: "0" });
  ground.className = "gamekit-map";
  // The map has keys of its own; the notebook's, such as "0" twice to restart the kernel, must not hear them.
  frame.dataset.lmSuppressShortcuts = "true";
  // The wheel scrolls the notebook, as everywhere in it, until the map was clicked.
  const letScroll = (/** @type {WheelEvent} */ event) => {
    if (!frame.contains(document.activeElement) && !event.ctrlKey) event.stopPropagation();
  };
  frame.addEventListener("wheel", letScroll, { capture: true });
  frame.append(ground);
  el.append(frame);
  const banner = addBanner(frame);
  let refusedTimer = 0;
  const map = new GalaxyMap(ground, { onOrder: (order) => model.send({ kind: "order", order }) });

  // For the browser's console: `document.querySelector(".gamekit-map").galaxyMap`.
  Object.assign(ground, { galaxyMap: map });

  const say = (/** @type {string} */ text) => {
    banner.textContent = text;
    banner.style.display = text ? "block" : "none";
  };
  const state = (/** @type {any} */ message) => {
    map.setClock(message.clock);
    if (!refusedTimer) say(message.ended ? ENDED : message.connected ? "" : OFFLINE);
  };
  const show = (/** @type {any} */ message) => {
    if (message.kind === "view") {
      map.setView(structuredClone(message.view));
      map.setPlayer(message.player);
      state(message);
    } else if (message.kind === "changes") {
      for (const patch of message.changes) map.merge(structuredClone(patch));
      state(message);
    } else if (message.kind === "refused") {
      clearTimeout(refusedTimer);
      say(message.message);
      refusedTimer = window.setTimeout(() => {
        refusedTimer = 0;
        state(mirror.message);
      }, REFUSED_MS);
    }
  };
  const resize = () => {
    frame.style.height = `${model.get("height")}px`;
  };

  show(mirror.message);
  mirror.views.add(show);
  model.on("change:height", resize);
  const stopTelling = tellWhenShown(model, frame);
  return () => {
    stopTelling();
    clearTimeout(refusedTimer);
    mirror.views.delete(show);
    model.off("change:height", resize);
    map.destroy();
  };
}

export default { initialize, render };
