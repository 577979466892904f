/** A view of a live game: opens its frame, follows the stream, gives commands, and keeps the traits about the game. */

import { Frame, NO_KERNEL } from "./frame.js";
import { mirrorOf, namedModel } from "./mirror.js";

/** @import {Mirror} from "./mirror.js" */

let keys = 0;

export class LiveView {
  /** @param {any} model @param {Frame} frame @param {Mirror} mirror */
  constructor(model, frame, mirror) {
    this.model = model;
    this.frame = frame;
    this.mirror = mirror;
    /** @type {Map<string, (standing: {state: string, message?: string}) => void>} */
    this.asked = new Map();
    this.listen("msg:custom", (message) => {
      if (message.kind !== "standing" || !this.asked.has(message.key)) return;
      this.asked.get(message.key)?.(message);
      if (message.state !== "acknowledged") this.asked.delete(message.key);
      if (message.state === "refused") frame.refused(message.message);
    });
  }

  /** @param {{model: any, el: HTMLElement}} context @param {string} className */
  static async open({ model, el }, className) {
    const stream = await namedModel(model, "stream");
    return new LiveView(model, new Frame(el, className, stream), mirrorOf(stream));
  }

  /** The view as it is now; do not change it. */
  get now() {
    return this.mirror.message;
  }

  /** Call `show` with each message, beginning with a whole view. @param {(message: any) => void} show */
  follow(show) {
    const take = (/** @type {any} */ message) => {
      this.frame.state(message);
      // Not saved to the kernel, which has it from the same news: this is for links within the page.
      this.model.set({ tick: Math.floor(message.clock.tick), paused: message.clock.paused });
      show(message);
    };
    this.mirror.listeners.add(take);
    this.frame.atEnd(() => this.mirror.listeners.delete(take));
    take(this.now);
  }

  /** Listen to the widget's own model. @param {string} event @param {(...values: any[]) => void} listener */
  listen(event, listener) {
    this.model.on(event, listener);
    this.frame.atEnd(() => this.model.off(event, listener));
  }

  /** Whether the kernel is there to do what is asked; says so when it is not. */
  get alive() {
    if (this.frame.watched.comm_live !== false) return true;
    this.frame.refused(NO_KERNEL);
    return false;
  }

  /** Ask the kernel's side for something. @param {object} content */
  send(content) {
    if (this.alive) this.model.send(content);
  }

  /** Set a trait on both sides. @param {string} trait @param {unknown} value */
  set(trait, value) {
    if (this.model.get(trait) === value) return;
    this.model.set(trait, value);
    this.model.save_changes();
  }

  /**
   * Give a command as the player.
   * @param {object} body
   * @param {(standing: {state: string, message?: string}) => void} [stands] told how it stands
   */
  command(body, stands) {
    if (!this.alive) return;
    keys += 1;
    const key = `${Date.now()}-${keys}`;
    this.asked.set(key, stands ?? (() => {}));
    this.model.send({ kind: "command", key, body });
  }
}
