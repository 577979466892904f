/**
 * Large messages that come in parts, put together again: so a picture on a slow line is heard of while it comes.
 *
 * Messages are acted upon in the order in which they are whole. A delta that comes between the parts of a message waits
 * for its end, because that may be the picture which it changes; while a message is unpacked, all that follows waits.
 *
 * @import {FromServer, Part} from "./types"
 */

/** @typedef {Exclude<FromServer, Part>} Whole */

/** What goes into the socket's address to get parts; empty where the browser cannot unpack them. */
export const PARTS = globalThis.DecompressionStream ? "deflate" : "";

export class Assembly {
  /**
   * @param {(message: Whole) => void} act called with each message that is whole
   * @param {() => void} fail called when parts do not fit together
   */
  constructor(act, fail) {
    this.act = act;
    this.fail = fail;
    /** The parts of the message under way. @type {string[]} */
    this.came = [];
    this.of = 0;
    /** Deltas that came between them. @type {Whole[]} */
    this.between = [];
    /** What waits for its turn: whole messages, and those that must be unpacked first. @type {(Whole | string[])[]} */
    this.line = [];
    this.busy = false;
    this.unpacking = false;
  }

  /** How much of the message under way has come, from 0 to 1; null when there is none. */
  get fraction() {
    if (this.of) return this.came.length / this.of;
    return this.unpacking ? 1 : null;
  }

  /** @param {FromServer} message */
  take(message) {
    if (message.type === "part") this.part(message);
    else if (this.of && message.type === "delta") this.between.push(message);
    else if (this.busy) this.line.push(message);
    else this.act(message);
  }

  /** @param {Part} part */
  part({ i, of, data }) {
    if (i !== this.came.length + 1 || i > of || (this.of && of !== this.of)) return this.fail();
    this.of = of;
    this.came.push(data);
    if (i < of) return;
    this.line.push(this.came, ...this.between);
    this.came = [];
    this.between = [];
    this.of = 0;
    if (!this.busy) void this.work();
  }

  /** Act upon all that waits, in order. */
  async work() {
    this.busy = true;
    for (let next = this.line.shift(); next; next = this.line.shift()) {
      if (!Array.isArray(next)) {
        this.act(next);
        continue;
      }
      /** @type {Whole} */
      let message;
      this.unpacking = true;
      try {
        message = JSON.parse(await unpacked(next));
        this.unpacking = false;
      } catch {
        return this.fail();
      }
      this.act(message);
    }
    this.busy = false;
  }
}

/** The text that was compressed and cut. @param {string[]} parts in base64 @returns {Promise<string>} */
async function unpacked(parts) {
  const bytes = parts.map((part) => Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0)));
  const stream = new Blob(bytes).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}
