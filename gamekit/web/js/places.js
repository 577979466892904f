/**
 * Lists of places to choose from: every sector with what is in it, in the order of their names. Large galaxies have
 * thousands, so names are compared by one collator and stations are sorted into their sectors once.
 *
 * @import {Id, View} from "./types"
 */

import { make } from "./dom.js";

const ORDER = new Intl.Collator("en", { numeric: true });

/**
 * A group for every sector, with an option for each of its stations.
 * @param {View} view
 * @param {(station: Id) => string} valueOf
 * @returns {{id: Id, name: string, group: HTMLOptGroupElement}[]}
 */
export function placesBySector(view, valueOf) {
  const places = Object.entries(view.sectors).map(([id, { name }]) => {
    const group = make("optgroup");
    group.label = name;
    return { id, name, group };
  });
  places.sort((one, other) => ORDER.compare(one.name, other.name));
  const groups = new Map(places.map(({ id, group }) => [id, group]));
  for (const [station, { name, sector }] of Object.entries(view.stations)) {
    const option = make("option", { text: name });
    option.value = valueOf(station);
    groups.get(sector)?.append(option);
  }
  return places;
}

/** Above so many places a list is filled only when somebody is about to open it: it takes its time. */
const MANY = 500;

/**
 * Call `fill` when a list is about to be used, if there is too much for it to be filled beforehand.
 * @param {HTMLSelectElement} list
 * @param {() => void} fill
 */
export function fillWhenWanted(list, fill) {
  for (const kind of ["pointerdown", "focus"]) list.addEventListener(kind, fill);
}

/** Whether a galaxy has too many places to list them before they are wanted. @param {View} view */
export function isLarge(view) {
  return Object.keys(view.sectors).length + Object.keys(view.stations).length > MANY;
}

/** By what a list of places has to be filled anew. @param {View} view */
export function editionOf(view) {
  return `${Object.keys(view.sectors).length} ${Object.keys(view.stations).length}`;
}
