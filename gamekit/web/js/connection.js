/**
 * The live connection to one game: opens the socket, says hello, resumes after a loss, sends the queued commands in
 * order, and tells its listeners what comes in.
 *
 * It owns the socket and its timers; not the view (its listeners merge), and not the queue's rules (`queue.js`).
 * Nothing that a player commanded is dropped here: commands go into the queue at once, connected or not, and leave it
 * by an outcome only. After `refused` it does not try again by itself.
 *
 * @import {Body, ConnectionParts, FromServer, GameEvent, Listeners, Outcome, Welcome} from "./types"
 * @import {Whole} from "./parts.js"
 */

import { Assembly, PARTS } from "./parts.js";
import { PASSING } from "./queue.js";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;
const PING_EVERY_MS = 2000;
/** After so many failures without a welcome the reason is looked for, and again after twice as many. */
const WONDER_AFTER = 2;
/** Silence after which a connection counts as lost: so much more than the server promised, which is a second at first. */
const SILENCE_MS = 5000;
/** The same while a picture comes that cannot come in parts, and is not heard of before its end. */
const WHOLE_PICTURE_MS = 60000;
/** Time for the socket to open and the welcome to come. */
const OPENING_MS = 10000;
/** After how long what was refused for a reason that passes goes out again, at first and at most. */
const FIRST_AGAIN_MS = 1000;
const LAST_AGAIN_MS = 5000;
const POLICY = 1008;
const NO_GAME = 4404;

/** @typedef {import("./types").ConnectionState} State */

export class Connection {
  /** @param {ConnectionParts} parts @param {Listeners} [listeners] */
  constructor(parts, listeners = {}) {
    this.parts = { WebSocket: globalThis.WebSocket, random: Math.random, now: () => performance.now(), ...parts };
    this.listeners = listeners;
    this.queue = parts.queue;
    /** @type {State} */
    this.state = { kind: "connecting" };
    this.latencyMs = NaN;
    /** How late the server's ticks come. */
    this.latenessMs = NaN;
    /** Within what time the server promised to speak again. */
    this.quietMs = 1000;
    /** The last delta seen. @type {{epoch: number, n: number} | null} */
    this.position = null;
    this.epoch = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.assembly = this.assemble(null);
    /** Whether large messages may come in parts; not after they once did not fit together. */
    this.inParts = PARTS !== "";
    /** Whether commands may go out: between a welcome and the next hello. */
    this.welcomed = false;
    this.tries = 0;
    /** Whether the latest socket did open. */
    this.opened = false;
    this.heardMs = 0;
    /** Why the server would not have it, when it said so. @type {{code: string, message: string} | null} */
    this.refusal = null;
    this.adopting = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retryTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.againTimer = undefined;
    this.againMs = FIRST_AGAIN_MS;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.pulseTimer = undefined;
  }

  /** Seconds until the next try; 0 when there is none to wait for. */
  get nextTryIn() {
    return this.state.kind === "offline" ? Math.max(0, (this.state.tryAtMs - this.parts.now()) / 1000) : 0;
  }

  /** How many commands the server has not acknowledged. */
  get pendingCount() {
    return this.queue.waiting.length;
  }

  /** Connect now; also the way to try again at once. */
  open() {
    if (this.socket) return;
    clearTimeout(this.retryTimer);
    this.refusal = null;
    this.become({ kind: "connecting" });
    this.heardMs = this.parts.now();
    this.quietMs = 1000;
    let socket;
    try {
      socket = new this.parts.WebSocket(this.inParts ? `${this.parts.url}?parts=${PARTS}` : this.parts.url);
    } catch {
      this.lost(0);
      return;
    }
    this.socket = socket;
    this.opened = false;
    this.assembly = this.assemble(socket);
    // A socket that was given up must not be heard any more, so each listener asks whether it is still the one.
    const own = (/** @type {() => void} */ act) => () => this.socket === socket && act();
    socket.addEventListener(
      "open",
      own(() => {
        this.opened = true;
        this.hello();
      }),
    );
    socket.addEventListener("message", (event) => this.socket === socket && this.heard(event.data));
    socket.addEventListener("close", (event) => this.socket === socket && this.lost(event.code, event.reason));
    clearInterval(this.pulseTimer);
    this.pulseTimer = setInterval(() => this.pulse(), PING_EVERY_MS / 2);
  }

  /**
   * Messages of one socket, whole; those of a socket that was given up are not acted upon.
   * @param {WebSocket | null} socket
   */
  assemble(socket) {
    return new Assembly(
      (message) => this.socket === socket && this.take(message),
      () => {
        if (this.socket !== socket) return;
        this.inParts = false;
        this.lost(0);
      },
    );
  }

  /** How much of the picture has come, from 0 to 1, while there is one to wait for; else null. */
  get receiving() {
    if (this.state.kind !== "live") return null;
    return this.assembly.fraction ?? (this.position ? null : 0);
  }

  /** Let go of the connection for good; what is queued stays stored. */
  close() {
    this.dropSocket();
    clearTimeout(this.retryTimer);
  }

  /** Try at once if the connection is down; for when the network or the page comes back. */
  wake() {
    if (this.state.kind === "offline") this.open();
    else this.pulse();
  }

  /**
   * Command something, now or as soon as there is a connection.
   * @param {Body} body
   * @returns {number} the command's cid; it may be renumbered until it is sent
   */
  command(body) {
    const cid = this.queue.add(body);
    this.flush();
    this.listeners.pending?.();
    return cid;
  }

  /** Introduce this client, and ask for what was missed. */
  hello() {
    this.welcomed = false;
    this.transmit({ type: "hello", token: this.parts.token, client: this.queue.client, resume: this.position });
  }

  /** Send what is due. @param {boolean} [again] also what was refused for a reason that passes */
  flush(again = false) {
    if (!this.welcomed) return;
    for (const { cid, body } of this.queue.take(again)) this.transmit({ type: "command", cid, body });
  }

  /** The server takes no commands just now: an outcome makes room, or time helps. @param {string} code @param {string} message */
  putOff(code, message) {
    if (this.againTimer !== undefined) return;
    // Said once, and not with every further try.
    if (this.againMs === FIRST_AGAIN_MS) this.listeners.putOff?.(code, message);
    this.againTimer = setTimeout(() => {
      this.againTimer = undefined;
      this.againMs = Math.min(2 * this.againMs, LAST_AGAIN_MS);
      this.flush(true);
      if (this.queue.putOff < Infinity) this.putOff(code, message);
    }, this.againMs);
  }

  /** @param {object} message */
  transmit(message) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  /** @param {unknown} frame */
  heard(frame) {
    this.heardMs = this.parts.now();
    if (typeof frame !== "string") return;
    /** @type {FromServer} */
    const message = JSON.parse(frame);
    this.assembly.take(message);
    if (message.type !== "part") return;
    // A page that only listens, unseen, must be heard of as well.
    if (this.heardMs - (this.pingedMs ?? 0) > SILENCE_MS) this.ping();
    this.listeners.receiving?.();
  }

  /** @param {Whole} message */
  take(message) {
    switch (message.type) {
      case "welcome":
        return this.welcome(message);
      case "snapshot":
        this.position = { epoch: this.epoch, n: message.n };
        this.listeners.snapshot?.(message);
        for (const { entry, outcome } of this.queue.settled(message.seq, message.outcomes ?? [])) {
          this.listeners.outcome?.(entry, outcome);
        }
        return this.queueChanged();
      case "delta":
        // Numbers grow but have gaps: a delta that holds nothing for this player is not sent.
        if (!this.position || message.n <= this.position.n) return;
        this.position.n = message.n;
        this.listeners.delta?.(message);
        for (const event of message.events) this.happened(event);
        return;
      case "ack":
        this.queue.acknowledged(message.cid, message.seq);
        this.againMs = FIRST_AGAIN_MS;
        return this.queueChanged();
      case "error":
        return this.failed(message);
      case "pong":
        this.latencyMs = this.parts.now() - message.t;
        this.latenessMs = message.lateness_ms ?? NaN;
        this.listeners.latency?.(this.latencyMs);
        return this.listeners.pong?.(message.tick, message.t);
      case "heartbeat":
        this.quietMs = 1000 * message.next_s;
        this.listeners.quiet?.(message.next_s);
        // A sleeping game tells no tick: its clock goes on as it went.
        if (message.tick !== null) this.listeners.tick?.(message.tick);
        return;
      case "notice":
        return this.listeners.notice?.(message);
    }
  }

  /** @param {Welcome} message */
  welcome(message) {
    this.epoch = message.epoch;
    if (this.position && this.position.epoch !== message.epoch) this.position = null;
    this.tries = 0;
    this.welcomed = true;
    this.queue.reconnected(message.last_cid, message.window);
    this.listeners.welcome?.(message);
    this.become({ kind: "live" });
    this.ping();
    this.queueChanged();
  }

  /** @param {{code: string, message: string, cid?: number}} message */
  failed({ code, message, cid }) {
    if (cid !== undefined && PASSING.has(code) && this.queue.refused(cid)) {
      this.putOff(code, message);
      this.listeners.pending?.();
      return;
    }
    const entry = cid === undefined ? null : this.queue.ended(cid);
    if (entry) this.listeners.outcome?.(entry, { cid: entry.cid, code, message });
    else if (!this.welcomed) this.refusal = { code, message };
    else this.listeners.error?.(code, message);
    this.queueChanged();
  }

  /** @param {GameEvent} event */
  happened(event) {
    if (event.type !== "CommandDone" && event.type !== "CommandFailed") return;
    if (event.client !== this.queue.client) return;
    const outcome = /** @type {Outcome} */ (/** @type {unknown} */ (event));
    const entry = this.queue.ended(outcome.cid);
    if (entry) this.listeners.outcome?.(entry, outcome);
    this.queueChanged(true);
  }

  /**
   * Send what has room now, tell the listeners, and look for another queue if this one is done.
   * @param {boolean} [room] whether an outcome has just made room
   */
  queueChanged(room = false) {
    this.flush(room);
    this.listeners.pending?.();
    void this.adopt();
  }

  /** With nothing to do: go on under the id of a queue that a closed tab left, so that its commands are sent. */
  async adopt() {
    if (!this.parts.adopt || this.adopting || !this.welcomed || this.queue.entries.length) return;
    this.adopting = true;
    const found = await this.parts.adopt();
    this.adopting = false;
    if (!found) return;
    const former = this.queue;
    if (former.entries.length) {
      // Something was commanded meanwhile: that goes first, and the other queue stays for later.
      this.parts.leave?.(found);
      return;
    }
    this.queue = found;
    this.parts.leave?.(former);
    // Only a snapshot tells how the commands ended that the closed tab had sent.
    this.position = null;
    if (this.welcomed) this.hello();
    this.listeners.pending?.();
  }

  /** Measure the way there and back. */
  ping() {
    this.pingedMs = this.parts.now();
    this.transmit({ type: "ping", t: this.pingedMs });
  }

  /** Now and then: notice silence; keep measuring while somebody looks, for a page that is not seen lets the game sleep. */
  pulse() {
    const now = this.parts.now();
    if (!this.socket) return;
    const silenceMs = this.inParts || this.position ? SILENCE_MS + this.quietMs : WHOLE_PICTURE_MS;
    if (now - this.heardMs > (this.welcomed ? silenceMs : OPENING_MS)) this.lost(0);
    else if (this.welcomed && now - (this.pingedMs ?? 0) >= PING_EVERY_MS) {
      if (!globalThis.document?.hidden) this.ping();
      void this.adopt();
    }
  }

  /**
   * The connection is gone: say so, and try again later unless the server wants no more of it.
   * @param {number} code of the close frame
   * @param {string} [reason]
   */
  lost(code, reason = "") {
    this.dropSocket();
    if (code === NO_GAME || code === POLICY) {
      const text = this.refusal?.message || reason || "The server refused the connection.";
      this.become({ kind: "refused", code: this.refusal?.code ?? "", reason: text });
      return;
    }
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.tries);
    const waitMs = longest * (0.5 + this.parts.random() / 2);
    this.tries += 1;
    void this.wonder();
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.open(), waitMs);
    this.become({ kind: "offline", tryAtMs: this.parts.now() + waitMs });
  }

  /** After failures without a single welcome: find out why, for what a handshake was refused with is not shown to pages. */
  async wonder() {
    const { tries } = this;
    const due = tries >= WONDER_AFTER && Number.isInteger(Math.log2(tries / WONDER_AFTER));
    if (!due || !this.parts.why) return;
    // A socket that opened and was closed has told why, if it is worth telling.
    const sentence = this.refusal?.message ?? (await this.parts.why(this.opened));
    if (this.tries >= tries) this.listeners.unreached?.(sentence);
  }

  /** Stop hearing and using the socket. */
  dropSocket() {
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    this.latencyMs = NaN;
    clearInterval(this.pulseTimer);
    clearTimeout(this.againTimer);
    this.againTimer = undefined;
    socket?.close();
  }

  /** @param {State} state */
  become(state) {
    this.state = state;
    this.listeners.state?.(state);
  }
}
