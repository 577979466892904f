/** The shared map in a widget: fed from messages, selected by a trait. */

import { GalaxyMap } from "../../web/js/map.js";
import { make } from "../../web/js/dom.js";

/** @import {Order} from "../../web/js/types" */

/**
 * @param {HTMLElement} parent
 * @param {{onOrder?: (order: Order) => void, onSelect?: (ship: string | null) => void}} options
 */
export function addMap(parent, options) {
  const ground = make("div", { className: "gamekit-map" });
  const box = make("div", { className: "gamekit-ground" }, ground);
  // The wheel scrolls the notebook, as everywhere in it, until the map was clicked.
  box.addEventListener(
    "wheel",
    (event) => {
      if (!box.contains(document.activeElement) && !event.ctrlKey) event.stopPropagation();
    },
    { capture: true },
  );
  parent.append(box);
  const map = new GalaxyMap(ground, options);
  // For the browser's console: `document.querySelector(".gamekit-map").galaxyMap`.
  Object.assign(ground, { galaxyMap: map });
  return { map, box };
}

/** Show a message of the stream on a map. @param {GalaxyMap} map @param {any} message */
export function showOn(map, message) {
  if (message.kind === "view") {
    map.setView(structuredClone(message.view));
    map.setPlayer(message.player);
  } else {
    for (const patch of message.changes) map.merge(structuredClone(patch));
  }
  map.setClock(message.clock);
}
