/**
 * Calling a ship something else: a button beside what the ship is, and a small form in its place while it is wanted.
 *
 * @import {Body, Id, Ship} from "./types"
 */

import { byId } from "./dom.js";

export class Rename {
  /** @param {(body: Body) => void} command */
  constructor(command) {
    this.command = command;
    this.form = byId("rename-form", HTMLFormElement);
    this.name = byId("rename", HTMLInputElement);
    this.button = byId("rename-open", HTMLButtonElement);
    /** @type {{id: Id, ship: Ship} | null} */
    this.one = null;
    this.button.addEventListener("click", () => this.open());
    byId("rename-cancel", HTMLButtonElement).addEventListener("click", () => this.close());
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.name.value.trim();
      if (this.one && name && name !== this.one.ship.name)
        this.command({ type: "rename_ship", ship: this.one.id, name });
      this.close();
    });
  }

  /** @param {{id: Id, ship: Ship} | null} one the ship that is selected alone */
  update(one) {
    if (one?.id !== this.one?.id) this.form.hidden = true;
    this.one = one;
    this.button.hidden = !one || !this.form.hidden;
  }

  open() {
    if (!this.one) return;
    this.name.value = this.one.ship.name;
    this.form.hidden = false;
    this.button.hidden = true;
    this.name.select();
    this.name.focus();
  }

  close() {
    this.form.hidden = true;
    this.button.hidden = !this.one;
    this.button.focus();
  }
}
