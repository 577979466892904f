/** Stand-ins for what only a browser has: storage, locks, sockets; and a server that keeps the protocol's promises. */

/** A generator of numbers from 0 to 1 that a seed decides (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Timers that run when the test lets time pass. Puts itself in the place of the real ones until `restore`. */
export class FakeTime {
  now = 0;
  #timers = new Map();
  #last = 0;
  #real = {};

  constructor() {
    const set = (every) => (act, ms) => {
      this.#last += 1;
      this.#timers.set(this.#last, { act, dueMs: this.now + ms, everyMs: every ? ms : 0 });
      return this.#last;
    };
    const clear = (id) => this.#timers.delete(id);
    const fakes = { setTimeout: set(false), setInterval: set(true), clearTimeout: clear, clearInterval: clear };
    for (const [name, fake] of Object.entries(fakes)) {
      this.#real[name] = globalThis[name];
      globalThis[name] = fake;
    }
  }

  restore() {
    Object.assign(globalThis, this.#real);
  }

  /** Let time pass, running each timer at its moment. */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, { dueMs }]) => dueMs <= end)
        .sort(([, a], [, b]) => a.dueMs - b.dueMs)[0];
      if (!due) break;
      const [id, timer] = due;
      this.now = timer.dueMs;
      if (timer.everyMs) timer.dueMs += timer.everyMs;
      else this.#timers.delete(id);
      timer.act();
    }
    this.now = end;
  }
}

export class FakeStorage {
  held = new Map();

  get length() {
    return this.held.size;
  }

  key(index) {
    return [...this.held.keys()][index] ?? null;
  }

  getItem(key) {
    return this.held.get(key) ?? null;
  }

  setItem(key, value) {
    this.held.set(key, String(value));
  }

  removeItem(key) {
    this.held.delete(key);
  }

  /** What a duplicated tab gets. */
  copy() {
    const copy = new FakeStorage();
    copy.held = new Map(this.held);
    return copy;
  }
}

/** Web Locks, shared by tabs; each tab asks through its own `tab()` and lets go of all when it is closed. */
export class FakeLocks {
  held = new Map();
  waiting = [];

  tab() {
    const own = new Set();
    return {
      request: (name, options, act) => this.request(name, options, act, own),
      close: () => {
        for (const name of own) this.free(name);
        own.clear();
      },
    };
  }

  async request(name, { ifAvailable, signal } = {}, act, own) {
    if (this.held.has(name)) {
      if (ifAvailable) return act(null);
      await new Promise((resolve, reject) => {
        this.waiting.push({ name, resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }
    this.held.set(name, own);
    own.add(name);
    await act({ name });
    own.delete(name);
    this.free(name);
    return undefined;
  }

  free(name) {
    this.held.delete(name);
    const index = this.waiting.findIndex((one) => one.name === name);
    if (index >= 0) this.waiting.splice(index, 1)[0].resolve();
  }
}

/** A socket whose messages travel only when the test says so. */
export class FakeSocket extends EventTarget {
  readyState = 0;
  sent = [];

  constructor(url) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
  }

  static all = [];

  static get latest() {
    return FakeSocket.all.at(-1);
  }

  send(text) {
    if (this.readyState !== 1) throw new Error("The socket is not open.");
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  // The test's side

  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  say(message) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }

  drop(code = 1006, reason = "") {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  /** What the client sent, of one type. */
  of(type) {
    return this.sent.filter((message) => message.type === type);
  }
}

/** A session in miniature: journals, acknowledges, applies and answers as the protocol says. */
export class FakeServer {
  clients = new Map();
  applied = [];
  seq = 0;
  n = 0;
  epoch = 1;
  deltas = [];
  /** Whether a command that comes now is one too many. */
  full = () => false;
  refused = 0;

  client(id) {
    if (!this.clients.has(id)) this.clients.set(id, { last: 0, acks: new Map(), outcomes: [], turnedAway: new Set() });
    return this.clients.get(id);
  }

  /** A new run: deltas of the old one cannot be resumed. */
  restart() {
    this.epoch += 1;
    this.n = 0;
    this.deltas = [];
  }

  /** The answers to one message of a connection; `session` is the connection's own memory. */
  answer(message, session) {
    if (message.type === "hello") return this.hello(message, session);
    if (message.type === "ping") return [{ type: "pong", t: message.t, tick: this.seq, lateness_ms: 0 }];
    if (message.type === "command") return this.command(message, session);
    throw new Error(`What is ${message.type}?`);
  }

  hello({ client, resume }, session) {
    session.client = client;
    const known = this.client(client);
    known.turnedAway.clear();
    const welcome = {
      type: "welcome",
      game: "g",
      name: "Game",
      player: "p1",
      client,
      last_cid: known.last,
      epoch: this.epoch,
      tick: this.seq,
      tick_hz: 10,
      speed: 1,
      paused: false,
      rules: {},
    };
    if (resume && resume.epoch === this.epoch) return [welcome, ...this.deltas.filter(({ n }) => n > resume.n)];
    return [
      welcome,
      { type: "snapshot", tick: this.seq, seq: this.seq, n: this.n, view: {}, outcomes: known.outcomes },
    ];
  }

  command({ cid, body }, { client }) {
    const known = this.client(client);
    if (known.acks.has(cid)) return [known.acks.get(cid)];
    if (cid <= known.last) return [{ type: "error", code: "stale_cid", message: "too old", cid }];
    if (Math.min(...known.turnedAway) < cid || this.full()) {
      this.refused += 1;
      known.turnedAway.add(cid);
      return [{ type: "error", code: "too_many_pending", message: "later", cid }];
    }
    known.turnedAway.delete(cid);
    this.seq += 1;
    this.n += 1;
    known.last = cid;
    const ack = { type: "ack", cid, tick: this.seq, seq: this.seq };
    known.acks.set(cid, ack);
    this.applied.push(body.mark);
    const refused = body.type === "bad" ? { code: "bad", message: "no" } : {};
    known.outcomes.push({ cid, tick: this.seq, seq: this.seq, ...refused });
    const type = refused.code ? "CommandFailed" : "CommandDone";
    const event = { type, player: "p1", client, cid, ...refused };
    const delta = { type: "delta", tick: this.seq, seq: this.seq, n: this.n, events: [event], changes: {} };
    this.deltas.push(delta);
    return [ack, delta];
  }
}
