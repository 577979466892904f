import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Connection } from "../../../gamekit/web/js/connection.js";
import { Identities } from "../../../gamekit/web/js/identity.js";
import { CommandQueue, PASSING, WINDOW } from "../../../gamekit/web/js/queue.js";
import { FakeLocks, FakeServer, FakeSocket, FakeStorage, FakeTime, seeded } from "./fakes.mjs";

const settle = () => new Promise((resolve) => setImmediate(resolve));
/** @type {FakeTime} */
let time;

beforeEach(() => {
  FakeSocket.all.length = 0;
  time = new FakeTime();
});

afterEach(() => time.restore());

const welcome = (fields = {}) => ({
  type: "welcome",
  game: "g",
  name: "Game",
  player: "p1",
  client: "tab",
  last_cid: 0,
  epoch: 1,
  tick: 5,
  tick_hz: 10,
  speed: 1,
  paused: false,
  rules: {},
  ...fields,
});
const snapshot = (fields = {}) => ({ type: "snapshot", tick: 5, seq: 3, n: 7, view: {}, outcomes: [], ...fields });

function connected(options = {}) {
  const storage = options.storage ?? new FakeStorage();
  const queue = options.queue ?? new CommandQueue(storage, "q", "tab", "token");
  const seen = { states: [], outcomes: [], deltas: 0, errors: [] };
  const parts = {
    url: "ws://x",
    token: "token",
    queue,
    WebSocket: FakeSocket,
    random: () => 1,
    now: () => time.now,
    ...options.parts,
  };
  const connection = new Connection(parts, {
    state: (state) => seen.states.push(state.kind),
    outcome: ({ body }, { code }) => seen.outcomes.push([body.mark, code ?? null]),
    delta: () => (seen.deltas += 1),
    error: (code) => seen.errors.push(code),
  });
  return { connection, queue, storage, seen };
}

function live(options) {
  const made = connected(options);
  made.connection.open();
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome());
  FakeSocket.latest.say(snapshot());
  return made;
}

const done = (cid, n, fields = {}) => ({
  type: "delta",
  tick: 9,
  seq: 4,
  n,
  changes: {},
  events: [{ type: "CommandDone", player: "p1", client: "tab", cid, ...fields }],
});

test("says hello first, and is live with the welcome", () => {
  const { connection, seen } = connected();
  connection.open();
  const socket = FakeSocket.latest;
  socket.open();
  assert.deepEqual(socket.sent, [{ type: "hello", token: "token", client: "tab", resume: null }]);
  assert.equal(connection.state.kind, "connecting");
  socket.say(welcome());
  assert.deepEqual(seen.states, ["connecting", "live"]);
});

test("commands go at once when live, and end by their outcome", () => {
  const { connection, seen, queue } = live();
  connection.command({ type: "move", mark: 1 });
  const socket = FakeSocket.latest;
  assert.deepEqual(socket.of("command"), [{ type: "command", cid: 1, body: { type: "move", mark: 1 } }]);
  assert.equal(connection.pendingCount, 1);
  socket.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  assert.equal(connection.pendingCount, 0);
  assert.equal(queue.entries.length, 1);
  socket.say(done(1, 8));
  assert.equal(queue.entries.length, 0);
  assert.deepEqual(seen.outcomes, [[1, null]]);
});

test("commands given while offline wait, and go in order after the welcome", () => {
  const { connection } = live();
  FakeSocket.latest.drop();
  connection.command({ type: "move", mark: 1 });
  connection.command({ type: "stop", mark: 2 });
  assert.equal(connection.pendingCount, 2);
  time.pass(250);
  const socket = FakeSocket.latest;
  socket.open();
  assert.deepEqual(socket.of("command"), [], "nothing before the welcome");
  socket.say(welcome());
  assert.deepEqual(
    socket.of("command").map(({ cid, body }) => [cid, body.mark]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});

test("what was sent and not acknowledged is sent again under the same cid; what was acknowledged is not", () => {
  const { connection } = live();
  for (const mark of [1, 2, 3]) connection.command({ type: "move", mark });
  FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  FakeSocket.latest.drop();
  time.pass(250);
  FakeSocket.latest.open();
  assert.deepEqual(FakeSocket.latest.of("hello")[0].resume, { epoch: 1, n: 7 });
  FakeSocket.latest.say(welcome({ last_cid: 2 }));
  assert.deepEqual(
    FakeSocket.latest.of("command").map(({ cid }) => cid),
    [2, 3],
  );
});

test("a snapshot's outcomes end commands, and so does a record that it includes", () => {
  const { connection, seen, queue } = live();
  for (const mark of [1, 2, 3]) connection.command({ type: "move", mark });
  FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  FakeSocket.latest.drop();
  time.pass(250);
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome({ epoch: 2, last_cid: 2 }));
  FakeSocket.latest.say(
    snapshot({ seq: 6, n: 0, outcomes: [{ cid: 2, tick: 8, seq: 5, code: "no_route", message: "No." }] }),
  );
  assert.deepEqual(seen.outcomes, [
    [1, null],
    [2, "no_route"],
  ]);
  assert.deepEqual(
    queue.entries.map(({ cid }) => cid),
    [3],
  );
});

test("a resume is asked for within the epoch only", () => {
  const { connection } = live();
  FakeSocket.latest.say({ ...done(99, 12), events: [] });
  FakeSocket.latest.drop();
  time.pass(250);
  FakeSocket.latest.open();
  assert.deepEqual(FakeSocket.latest.of("hello")[0].resume, { epoch: 1, n: 12 });
  FakeSocket.latest.say(welcome({ epoch: 2 }));
  FakeSocket.latest.drop();
  time.pass(10000);
  FakeSocket.latest.open();
  assert.equal(FakeSocket.latest.of("hello")[0].resume, null);
  connection.close();
});

test("a delta that was seen before is not applied again, and numbers may have gaps", () => {
  const { seen } = live();
  for (const n of [8, 8, 7, 20]) FakeSocket.latest.say({ ...done(99, n), events: [] });
  assert.equal(seen.deltas, 2);
});

test("an error with a cid ends the command, one without is reported", () => {
  const { connection, seen, queue } = live();
  connection.command({ type: "move", mark: 1 });
  FakeSocket.latest.say({ type: "error", code: "bad_command", message: "No.", cid: 1 });
  FakeSocket.latest.say({ type: "error", code: "bad_message", message: "What?" });
  assert.deepEqual(seen.outcomes, [[1, "bad_command"]]);
  assert.deepEqual(seen.errors, ["bad_message"]);
  assert.equal(queue.entries.length, 0);
});

test("outcomes of the player's other clients end nothing here", () => {
  const { connection, queue } = live();
  connection.command({ type: "move", mark: 1 });
  FakeSocket.latest.say(done(1, 8, { client: "other" }));
  assert.equal(queue.entries.length, 1);
});

test("retries come later and later, with a limit, and the countdown tells when", () => {
  const { connection } = connected();
  connection.open();
  const waits = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    FakeSocket.latest.drop();
    waits.push(connection.nextTryIn);
    time.pass(connection.nextTryIn * 1000);
    assert.equal(FakeSocket.all.length, attempt + 2);
  }
  assert.deepEqual(waits, [0.25, 0.5, 1, 2, 4, 5, 5]);
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome());
  FakeSocket.latest.drop();
  assert.equal(connection.nextTryIn, 0.25, "a success starts from the beginning");
});

test("after failures without a welcome the reason is looked for, more and more rarely, until there is a welcome", async () => {
  const [asked, told] = [[], []];
  const { connection } = connected({ parts: { why: async (opened) => (asked.push(opened), "No way.") } });
  connection.listeners.unreached = (sentence) => told.push(sentence);
  connection.open();
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    if (attempt === 4) FakeSocket.latest.open();
    FakeSocket.latest.drop();
    await settle();
    time.pass(connection.nextTryIn * 1000);
  }
  assert.deepEqual(asked, [false, true, false], "after 2, 4 and 8 failures; the fourth socket was open");
  assert.deepEqual(told, ["No way.", "No way.", "No way."]);
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome());
  FakeSocket.latest.drop();
  assert.equal(asked.length, 3, "one failure is none");
  time.pass(1000);
  FakeSocket.latest.open();
  FakeSocket.latest.say({ type: "error", code: "unavailable", message: "It cannot be opened." });
  FakeSocket.latest.drop(1013);
  await settle();
  assert.equal(told.at(-1), "It cannot be opened.", "what the server said itself");
  assert.equal(asked.length, 3);
  connection.close();
});

test("retries are spread by chance", () => {
  const { connection } = connected({ parts: { random: () => 0 } });
  connection.open();
  FakeSocket.latest.drop();
  assert.equal(connection.nextTryIn, 0.125);
});

test("a refusal is told in the server's words and not tried again", () => {
  for (const [code, text] of [
    [1008, "The token is not valid."],
    [4404, "There is no game 'x'."],
  ]) {
    const { connection } = connected();
    connection.open();
    FakeSocket.latest.open();
    FakeSocket.latest.say({ type: "error", code: "bad_token", message: text });
    FakeSocket.latest.drop(code, "bad_token");
    assert.deepEqual(connection.state, { kind: "refused", code: "bad_token", reason: text });
    const sockets = FakeSocket.all.length;
    time.pass(60000);
    assert.equal(FakeSocket.all.length, sockets);
  }
});

test("a draining or overwhelmed server is tried again", () => {
  for (const code of [1001, 1013, 1009]) {
    const { connection } = live();
    FakeSocket.latest.drop(code);
    assert.equal(connection.state.kind, "offline");
    connection.close();
  }
});

test("latency is measured, and silence is a loss", () => {
  const { connection, seen } = live();
  const socket = FakeSocket.latest;
  assert.equal(socket.of("ping").length, 1);
  time.now += 30;
  socket.say({ type: "pong", t: socket.of("ping")[0].t, tick: 5, lateness_ms: 0 });
  assert.equal(connection.latencyMs, 30);
  assert.ok(!seen.states.includes("offline"));
  for (let second = 0; second < 8; second += 1) time.pass(1000);
  assert.ok(seen.states.includes("offline"));
});

test("a connection that hears something stays", () => {
  const { connection } = live();
  for (let second = 0; second < 30; second += 1) {
    time.pass(1000);
    FakeSocket.latest.say({ type: "heartbeat", tick: second });
  }
  assert.equal(connection.state.kind, "live");
  assert.equal(FakeSocket.all.length, 1);
});

test("a socket that was given up is not heard any more", () => {
  const { connection, seen } = live();
  const old = FakeSocket.latest;
  old.drop();
  time.pass(250);
  old.say(welcome());
  old.drop(1008);
  assert.equal(connection.state.kind, "connecting");
  assert.deepEqual(seen.states.slice(-2), ["offline", "connecting"]);
});

test("waking tries at once", () => {
  const { connection } = live();
  FakeSocket.latest.drop();
  connection.wake();
  assert.equal(connection.state.kind, "connecting");
  time.pass(60000);
  assert.ok(FakeSocket.all.length >= 2);
});

test("no more commands are under way than the server takes: an outcome makes room, an ack does not", () => {
  const { connection } = live();
  for (let mark = 0; mark < WINDOW + 10; mark += 1) connection.command({ type: "move", mark });
  assert.equal(FakeSocket.latest.of("command").length, WINDOW);
  FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  FakeSocket.latest.say({ type: "ack", cid: 2, tick: 8, seq: 4 });
  assert.equal(FakeSocket.latest.of("command").length, WINDOW);
  FakeSocket.latest.say(done(1, 8));
  assert.equal(FakeSocket.latest.of("command").length, WINDOW + 1);
  FakeSocket.latest.drop();
  time.pass(250);
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome({ last_cid: 2 }));
  assert.equal(FakeSocket.latest.of("command").length, WINDOW - 1, "what was acknowledged is under way still");
});

test("the welcome tells how many may be under way", () => {
  const { connection } = connected();
  connection.open();
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome({ window: 3 }));
  for (let mark = 0; mark < 5; mark += 1) connection.command({ type: "move", mark });
  assert.equal(FakeSocket.latest.of("command").length, 3);
});

const later = (cid, code = "too_many_pending") => ({ type: "error", code, message: "Later.", cid });
const numbers = (from = 0) =>
  FakeSocket.latest
    .of("command")
    .slice(from)
    .map(({ cid }) => cid);

for (const code of PASSING)
  test(`what is refused by ${code} is kept, and goes out again in order before anything later`, () => {
    const { connection, seen, queue } = live();
    for (const mark of [1, 2, 3, 4]) connection.command({ type: "move", mark });
    FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
    FakeSocket.latest.say(later(2, code));
    FakeSocket.latest.say(done(1, 8));
    connection.command({ type: "move", mark: 5 });
    assert.deepEqual(numbers(4), [], "answers to 3 and 4 are still to come");
    FakeSocket.latest.say(later(3, code));
    FakeSocket.latest.say(later(4, code));
    assert.deepEqual(numbers(4), []);
    time.pass(1000);
    assert.deepEqual(numbers(4), [2, 3, 4, 5]);
    assert.deepEqual(seen.outcomes, [[1, null]]);
    assert.equal(queue.entries.length, 4);
  });

test("an outcome makes room at once for what was refused, and time helps more and more rarely", () => {
  const { connection } = live();
  for (const mark of [1, 2]) connection.command({ type: "move", mark });
  FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  FakeSocket.latest.say(later(2));
  FakeSocket.latest.say(done(1, 8));
  assert.deepEqual(numbers(2), [2], "an outcome made room");
  const tries = [];
  for (let second = 0; second < 17; second += 1) {
    FakeSocket.latest.say({ type: "heartbeat", tick: second, next_s: 1 });
    if (numbers().length > 2 + tries.length) tries.push(second);
    FakeSocket.latest.say(later(2));
    time.pass(1000);
  }
  assert.deepEqual(tries, [0, 1, 3, 7, 12]);
});

test("what was never sent gets numbers that are new to the server; what was sent keeps its own", () => {
  const queue = new CommandQueue(new FakeStorage(), "q", "tab", "token");
  queue.add({ type: "move", mark: 1 });
  queue.reconnected(0);
  assert.deepEqual(
    queue.take().map(({ cid }) => cid),
    [1],
  );
  queue.add({ type: "move", mark: 2 });
  queue.reconnected(7);
  assert.deepEqual(
    queue.take().map(({ cid, body }) => [cid, body.mark]),
    [
      [1, 1],
      [8, 2],
    ],
  );
  assert.equal(queue.add({ type: "move", mark: 3 }), 9);
});

test("the queue outlives a reload, but not another player's token", () => {
  const storage = new FakeStorage();
  const queue = new CommandQueue(storage, "q", "tab", "token");
  queue.add({ type: "move", mark: 1 });
  queue.take();
  const again = new CommandQueue(storage, "q", "tab", "token");
  assert.deepEqual(again.entries, queue.entries);
  assert.equal(again.add({ type: "move", mark: 2 }), 2);
  assert.equal(new CommandQueue(storage, "q", "tab", "another").entries.length, 0);
});

test("a browser that stores nothing keeps the queue in memory and says so", () => {
  const storage = new FakeStorage();
  storage.setItem = () => {
    throw new Error("full");
  };
  const queue = new CommandQueue(storage, "q", "tab", "token");
  queue.add({ type: "move", mark: 1 });
  assert.equal(queue.volatile, true);
  assert.equal(queue.take().length, 1);
});

/** A browser with tabs; ids are numbered in the order in which they are made. */
function browser({ locks = new FakeLocks(), storage = new FakeStorage() } = {}) {
  let ids = 0;
  return {
    storage,
    async tab(session = new FakeStorage(), token = "token") {
      const own = locks?.tab();
      const identities = new Identities({
        prefix: "g:",
        token,
        storage,
        session,
        locks: own,
        newId: () => `id${(ids += 1)}`,
      });
      const queue = await identities.claim();
      return {
        identities,
        queue,
        session,
        hide: () => identities.note(queue),
        close: () => own?.close(),
      };
    },
  };
}

test("every living tab has an id of its own, duplicated tabs too", async () => {
  const { tab } = browser();
  const one = await tab();
  const two = await tab();
  const copy = await tab(one.session.copy());
  assert.equal(new Set([one, two, copy].map(({ queue }) => queue.client)).size, 3);
});

test("a reloaded tab finds its id again, even while its former self is going", async () => {
  const { tab } = browser();
  const before = await tab();
  before.queue.add({ type: "move" });
  before.hide();
  const reloading = tab(before.session);
  await settle();
  before.close();
  const after = await reloading;
  assert.equal(after.queue.client, before.queue.client);
  assert.equal(after.queue.entries.length, 1);
});

test("whoever joins anew in a tab does not overwrite what another player left in it", async () => {
  const { tab, storage } = browser();
  const before = await tab();
  before.queue.add({ type: "move" });
  before.hide();
  before.close();
  const after = await tab(before.session, "another token");
  after.queue.add({ type: "stop" });
  assert.notEqual(after.queue.client, before.queue.client);
  assert.equal(new CommandQueue(storage, before.queue.key, before.queue.client, "token").entries.length, 1);
});

test("without locks a reload finds the id, and a duplicated tab does not take it", async () => {
  const { tab } = browser({ locks: null });
  const before = await tab();
  before.queue.add({ type: "move" });
  const copy = await tab(before.session.copy());
  assert.notEqual(copy.queue.client, before.queue.client);
  assert.equal(await copy.identities.adopt(), null);
  before.hide();
  assert.equal((await tab(before.session)).queue.client, before.queue.client);
});

test("a closed tab's commands are adopted by one other tab of the same player", async () => {
  const { tab } = browser();
  const closed = await tab();
  closed.queue.add({ type: "move", mark: 1 });
  const [one, two, stranger] = [await tab(), await tab(), await tab(new FakeStorage(), "another token")];
  assert.equal(await one.identities.adopt(), null, "it is alive");
  closed.close();
  await settle();
  assert.equal(await stranger.identities.adopt(), null);
  const adopted = await one.identities.adopt();
  assert.equal(adopted.client, closed.queue.client);
  assert.equal(adopted.entries.length, 1);
  assert.equal(await two.identities.adopt(), null);
});

test("a connection with nothing to do adopts a left queue under its id, from a snapshot", async () => {
  const world = browser();
  const closed = await world.tab();
  closed.queue.add({ type: "move", mark: "left" });
  closed.queue.take();
  const tab = await world.tab();
  const { connection, seen } = live({
    storage: world.storage,
    queue: tab.queue,
    parts: { adopt: () => tab.identities.adopt(), leave: (queue) => tab.identities.leave(queue) },
  });
  await settle();
  closed.close();
  connection.command({ type: "move", mark: "own" });
  FakeSocket.latest.say({ type: "ack", cid: 1, tick: 8, seq: 4 });
  FakeSocket.latest.say(done(1, 8, { client: tab.queue.client }));
  await settle();
  assert.deepEqual(FakeSocket.latest.of("hello").at(-1), {
    type: "hello",
    token: "token",
    client: closed.queue.client,
    resume: null,
  });
  FakeSocket.latest.say(welcome({ client: closed.queue.client, last_cid: 0 }));
  FakeSocket.latest.say(snapshot({ n: 9 }));
  assert.deepEqual(FakeSocket.latest.of("command").at(-1), {
    type: "command",
    cid: 1,
    body: { type: "move", mark: "left" },
  });
  FakeSocket.latest.say(done(1, 10, { client: closed.queue.client }));
  assert.deepEqual(seen.outcomes, [
    ["own", null],
    ["left", null],
  ]);
  connection.close();
});

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`exactly once and in order through cuts, restarts and reloads, seed ${seed}`, async () => {
    const random = seeded(seed);
    const server = new FakeServer();
    server.full = () => random() < 0.1;
    const world = browser();
    const outcomes = [];
    let [given, session, tab, connection, served, toServer, toClient] = [0, new FakeStorage(), null, null, {}, 0, []];

    const start = async () => {
      tab = await world.tab(session);
      const parts = {
        url: "ws://x",
        token: "token",
        queue: tab.queue,
        WebSocket: FakeSocket,
        random,
        now: () => time.now,
      };
      connection = new Connection(parts, { outcome: ({ body }) => outcomes.push(body.mark) });
      connection.open();
    };
    const cut = () => {
      [toServer, toClient, served] = [0, [], {}];
      if (connection.socket) connection.socket.drop();
    };
    const carry = () => {
      const socket = connection.socket;
      if (!socket) return time.pass(500);
      if (socket.readyState === 0) {
        [toServer, toClient, served] = [0, [], {}];
        return socket.open();
      }
      const inbound = toServer < socket.sent.length;
      if (inbound && (random() < 0.5 || !toClient.length)) {
        toClient.push(...server.answer(socket.sent[toServer], served));
        toServer += 1;
      } else if (toClient.length) socket.say(toClient.shift());
      else time.pass(100);
    };
    const reload = async () => {
      tab.hide();
      connection.close();
      tab.close();
      cut();
      await start();
    };

    await start();
    for (let step = 0; step < 600; step += 1) {
      const chance = random();
      if (chance < 0.12) connection.command({ type: random() < 0.2 ? "bad" : "move", mark: (given += 1) });
      else if (chance < 0.15) cut();
      else if (chance < 0.16) {
        cut();
        server.restart();
      } else if (chance < 0.175) await reload();
      else carry();
    }
    for (let step = 0; step < 2000 && connection.queue.entries.length; step += 1) carry();
    const all = Array.from({ length: given }, (_, index) => index + 1);
    assert.ok(given > 30);
    assert.ok(server.refused > 3);
    assert.deepEqual(server.applied, all);
    assert.deepEqual(
      outcomes.sort((a, b) => a - b),
      all,
    );
    assert.equal(connection.queue.client, "id1", "one identity all along");
    connection.close();
  });
}
