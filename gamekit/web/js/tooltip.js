/**
 * What the map tells about the thing under the pointer: a small box of text beside it. The words are made from the
 * view; every name goes into the page as text, never as markup.
 *
 * @import {Id, Ship, Station, Target, View} from "./types"
 * @import {Spot} from "./layout.js"
 */

import { formatCredits, formatTime } from "./model.js";
import { FONT, PALETTE } from "./glyphs.js";

/** Ticks a second at speed 1. */
const TICK_HZ = 10;

/** @typedef {{title: string, lines: string[], wares: [string, string, string, string][]}} Words */

/**
 * What to say about a thing; null when there is nothing to say.
 * @param {View} view
 * @param {Target} target
 * @param {boolean} sectorsNamed whether the map shows the sectors' names by itself
 * @returns {Words | null}
 */
export function wordsFor(view, target, sectorsNamed) {
  if (target.type === "ship") {
    const ship = view.ships[target.id];
    return ship ? wordsForShip(view, ship) : null;
  }
  if (target.type === "station") {
    const station = view.stations[target.id];
    return station ? wordsForStation(view, station) : null;
  }
  if (target.type === "gate") {
    const gate = view.gates[target.id];
    if (!gate) return null;
    const goal = gate.to_sector === null ? "the unknown" : (view.sectors[gate.to_sector]?.name ?? gate.to_sector);
    const until = gate.storm_until == null ? "" : ` until ${formatTime(gate.storm_until, TICK_HZ)}`;
    const state = gate.open
      ? `Open; a jump takes ${gate.jump_ticks / TICK_HZ} s.`
      : `${capital(gate.reason ?? "closed")}${until}; ships wait or find another way.`;
    return { title: `Gate to ${goal}`, lines: [state], wares: [] };
  }
  const sector = view.sectors[target.id];
  return sector && !sectorsNamed ? { title: sector.name, lines: [], wares: [] } : null;
}

/** @param {View} view @param {Ship} ship @returns {Words} */
function wordsForShip(view, ship) {
  const owner = view.players[ship.owner]?.name ?? "nobody";
  const load = Object.entries(ship.hold ?? {}).filter(([, units]) => units > 0);
  const lines = [`${ship.class}, ${owner}`, capital(ship.reason)];
  if (load.length) lines.push(`Carries ${load.map(([ware, units]) => `${units} ${wareName(view, ware)}`).join(", ")}`);
  return { title: ship.name, lines, wares: [] };
}

/** @param {View} view @param {Station} station @returns {Words} */
function wordsForStation(view, station) {
  const sector = view.sectors[station.sector]?.name ?? station.sector;
  /** @type {Words["wares"]} */
  const wares = Object.keys(station.price).map((ware) => {
    const role = station.sells.includes(ware) ? "sells" : station.buys.includes(ware) ? "buys" : "";
    const room = station.capacity[ware];
    const stock = `${station.stock[ware] ?? 0}${room === undefined ? "" : ` / ${room}`}`;
    return [role, wareName(view, ware), stock, formatCredits(station.price[ware] ?? 0)];
  });
  wares.sort(([role, name], [otherRole, otherName]) => otherRole.localeCompare(role) || name.localeCompare(otherName));
  const troubled = station.status === "starved" || station.status === "clogged";
  const standing = troubled ? `${capital(station.status)}: ${station.reason}` : capital(station.reason);
  const lines = [`${capital(station.kind)} in ${sector}`, standing];
  return { title: station.name, lines, wares };
}

/** @param {View} view @param {Id} ware */
function wareName(view, ware) {
  return view.wares[ware]?.name ?? ware;
}

/** @param {string} word */
function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The box itself. It styles itself, so that it looks the same in a notebook. */
export class Tooltip {
  /** @param {HTMLElement} parent positioned; the box stays inside */
  constructor(parent) {
    this.parent = parent;
    this.element = document.createElement("div");
    this.element.setAttribute("role", "tooltip");
    this.element.dataset.testid = "tooltip";
    this.element.hidden = true;
    Object.assign(this.element.style, {
      position: "absolute",
      left: "0",
      top: "0",
      zIndex: "5",
      maxWidth: "min(330px, 92%)",
      padding: "9px 12px",
      pointerEvents: "none",
      borderRadius: "9px",
      border: `1px solid ${PALETTE.boxEdge}`,
      background: "rgba(14, 20, 27, 0.96)",
      boxShadow: "0 6px 24px rgba(0, 0, 0, 0.45)",
      color: PALETTE.text,
      font: `12.5px/1.45 ${FONT}`,
    });
    parent.append(this.element);
    this.said = "";
  }

  /**
   * Show words beside a spot, or nothing.
   * @param {Words | null} words
   * @param {Spot} [spot] pixels within the parent
   */
  show(words, spot) {
    this.element.hidden = !words;
    const saying = JSON.stringify(words);
    if (words && saying !== this.said) this.fill(words);
    this.said = saying;
    if (!words || !spot) return;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = spot.x + 16 + width > this.parent.clientWidth - 6 ? spot.x - 16 - width : spot.x + 16;
    const top = Math.min(spot.y + 14, this.parent.clientHeight - height - 6);
    this.element.style.transform = `translate(${Math.max(6, left)}px, ${Math.max(6, top)}px)`;
  }

  /** @param {Words} words */
  fill({ title, lines, wares }) {
    const heading = document.createElement("div");
    heading.textContent = title;
    Object.assign(heading.style, { fontWeight: "600", fontSize: "13.5px" });
    const rows = lines.map((line) => {
      const row = document.createElement("div");
      row.textContent = line;
      row.style.color = PALETTE.name;
      return row;
    });
    const table = document.createElement("div");
    Object.assign(table.style, {
      display: wares.length ? "grid" : "none",
      gridTemplateColumns: "auto 1fr auto auto",
      gap: "1px 14px",
      whiteSpace: "nowrap",
      marginTop: "6px",
      fontVariantNumeric: "tabular-nums",
    });
    for (const [role, name, stock, price] of wares) {
      for (const [index, text] of [role, name, stock, price].entries()) {
        const cell = document.createElement("span");
        cell.textContent = text;
        if (index !== 1) cell.style.color = index === 3 ? PALETTE.route : PALETTE.name;
        if (index > 1) cell.style.textAlign = "right";
        table.append(cell);
      }
    }
    this.element.replaceChildren(heading, ...rows, table);
  }

  /** Take the box out of the page. */
  destroy() {
    this.element.remove();
  }
}
