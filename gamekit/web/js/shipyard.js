/**
 * A shipyard's offers: new ships by class, and taking back those of the user's that are docked there. What cannot be
 * now is said beside its button instead of being refused later. A sale cannot be undone, so it takes two clicks.
 *
 * @import {Id, Ship, ShipClass, Station, View} from "./types"
 * @import {PlayPage} from "./play.js"
 */

import { make } from "./dom.js";
import { formatCredits } from "./model.js";
import { rulesOf } from "./trade.js";

/** For how long a first click on "Sell" waits for the second one, in milliseconds. */
const SURE_MS = 4000;

/** @typedef {{key: string, name: string, about: string, button: string, hindrance: string}} Offer */

export class Shipyard {
  /** @param {PlayPage} page */
  constructor(page) {
    this.page = page;
    this.element = make("section", { className: "shipyard", testid: "shipyard", label: "Shipyard" });
    this.called = make("input", { testid: "ship-name" });
    Object.assign(this.called, { maxLength: 40, placeholder: "from the list" });
    this.called.autocomplete = "off";
    this.list = make("ul", { className: "wares" });
    const named = make("label", {}, "Name of a new ship", this.called);
    this.element.append(make("h3", { text: "Ships" }), named, this.list);
    this.shown = "";
    /** The ship whose sale waits for a second click, and until when. @type {{ship: Id, untilMs: number} | null} */
    this.asked = null;
    this.station = "";
  }

  /** @param {View} view @param {Id} id @param {Station} station */
  update(view, id, station) {
    this.station = id;
    const classes = /** @type {Record<Id, ShipClass>} */ (view.ship_classes ?? {});
    const open = Boolean(station.shipyard) && this.page.player !== null;
    this.element.hidden = !open || !Object.keys(classes).length;
    if (this.element.hidden) return;
    const sale = this.forSale(view, classes);
    const back = this.takenBack(view, classes, id);
    const asked = this.asked && this.asked.untilMs > performance.now() ? this.asked.ship : "";
    const saying = JSON.stringify([id, sale, back, asked]);
    if (saying === this.shown) return;
    this.shown = saying;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.offer;
    this.list.replaceChildren(
      ...sale.map((offer) => row(offer, offer.button, () => this.buy(offer.key))),
      ...back.map((offer) => row(offer, asked === offer.key ? "Sure? Sell" : offer.button, () => this.sell(offer.key))),
    );
    if (focused)
      /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-offer="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {View} view @param {Record<Id, ShipClass>} classes @returns {Offer[]} */
  forSale(view, classes) {
    const { page } = this;
    const rule = rulesOf(view, page.welcomed);
    const credits = view.players[page.player ?? ""]?.credits ?? 0;
    const full = page.fleet.own.length >= rule("ships_limit", Infinity);
    const pace = (rule("ship_speed_mm_per_tick", 6000) * page.tickHz) / 1000;
    const room = rule("ship_capacity", 400);
    return Object.entries(classes).map(([key, { name, speed_percent, capacity_percent, price }]) => ({
      key,
      name,
      about: `${Math.round((pace * speed_percent) / 100)} m/s, hold ${Math.round((room * capacity_percent) / 100).toLocaleString("en")}`,
      button: `Buy for ${formatCredits(price)}`,
      hindrance: full
        ? "your fleet is as large as it may be"
        : price > credits
          ? `you lack ${formatCredits(price - credits)} cr`
          : "",
    }));
  }

  /** @param {View} view @param {Record<Id, ShipClass>} classes @param {Id} station @returns {Offer[]} */
  takenBack(view, classes, station) {
    const share = rulesOf(view, this.page.welcomed)("ship_resale_percent", 70);
    return this.page.fleet.own.flatMap((key) => {
      const ship = view.ships[key];
      if (ship?.at.type !== "dock" || ship.at.station !== station) return [];
      const price = Math.floor(((classes[ship.class]?.price ?? 0) * share) / 100);
      const [name, about] = [ship.name, classes[ship.class]?.name ?? ship.class];
      return [{ key, name, about, button: `Sell for ${formatCredits(price)}`, hindrance: hindranceOf(ship) }];
    });
  }

  /** @param {Id} kind */
  buy(kind) {
    const name = this.called.value.trim();
    this.called.value = "";
    this.page.command({ type: "buy_ship", class: kind, station: this.station, ...(name && { name }) });
  }

  /** @param {Id} ship */
  sell(ship) {
    const sure = this.asked?.ship === ship && this.asked.untilMs > performance.now();
    this.asked = sure ? null : { ship, untilMs: performance.now() + SURE_MS };
    if (sure) this.page.command({ type: "sell_ship", ship });
    else setTimeout(() => this.page.info.update(), SURE_MS + 50);
    this.page.info.draw();
  }
}

/** Why a docked ship cannot be sold now; empty when it can. @param {Ship} ship */
function hindranceOf(ship) {
  if (ship.job) return "it is on a trade: switch its auto-trade off first";
  if (Object.values(ship.hold ?? {}).some((units) => units > 0)) return "it has wares on board: sell them first";
  return "";
}

/** @param {Offer} offer @param {string} text of the button @param {() => void} act */
function row({ key, name, about, hindrance }, text, act) {
  const button = make("button", { className: "small", text, label: `${text}: ${name}` });
  button.dataset.offer = key;
  button.disabled = hindrance !== "";
  button.addEventListener("click", act);
  const words = make("span", { className: "what" }, make("bdi", { className: "name", text: name }));
  words.append(make("span", { className: "quiet", text: hindrance ? `${about} · ${hindrance}` : about }));
  return make("li", { className: "line" }, words, button);
}
