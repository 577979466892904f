/**
 * The game as the stream tells it: one mirror for all widgets of a game on this page, kept where they all find it, on the
 * stream's model. A message that was missed is noticed by its number, and everything asked for anew. Without the DOM.
 */

import { merge } from "../../web/js/model.js";

/**
 * @typedef {object} StreamModel what is used of a widget's model
 * @property {(key: string) => any} get
 * @property {(content: object) => void} send
 * @property {(event: string, listener: (...values: any[]) => void) => void} on
 * @property {boolean} [comm_live]
 * @property {any} [widget_manager]
 */

export class Mirror {
  /** @param {StreamModel} stream */
  constructor(stream) {
    this.stream = stream;
    /** The latest message, with the whole view. */
    this.message = structuredClone(stream.get("start"));
    /** Whether everything was asked for and has not come yet. */
    this.asked = false;
    /** @type {Set<(message: any) => void>} */
    this.listeners = new Set();
    stream.on("change:start", () => this.take(structuredClone(stream.get("start"))));
    stream.on("msg:custom", (message) => this.take(message));
  }

  /** @param {any} message */
  take(message) {
    if (message.kind === "changes") {
      if (message.n !== this.message.n + 1) {
        if (!this.asked && this.stream.comm_live !== false) this.stream.send({ kind: "whole" });
        this.asked = true;
        return;
      }
      for (const patch of message.changes) merge(this.message.view, structuredClone(patch));
      const { clock, connected, ended, n } = message;
      this.message = { ...this.message, clock, connected, ended, n };
    } else if (message.kind === "view") {
      this.asked = false;
      this.message = { ...message, view: structuredClone(message.view) };
    } else {
      return;
    }
    for (const listener of this.listeners) listener(message);
  }
}

/** The mirror of a stream, made by who comes first. @param {StreamModel & {gamekitMirror?: Mirror}} stream */
export function mirrorOf(stream) {
  stream.gamekitMirror ??= new Mirror(stream);
  return stream.gamekitMirror;
}

/**
 * The model that a widget's trait names.
 * @param {any} model
 * @param {string} trait
 * @returns {Promise<StreamModel>}
 */
export function namedModel(model, trait) {
  return model.widget_manager.get_model(model.get(trait).slice("IPY_MODEL_".length));
}
