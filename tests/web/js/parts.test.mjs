import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { deflateSync } from "node:zlib";

import { Connection } from "../../../gamekit/web/js/connection.js";
import { Assembly } from "../../../gamekit/web/js/parts.js";
import { CommandQueue } from "../../../gamekit/web/js/queue.js";
import { FakeSocket, FakeStorage, FakeTime } from "./fakes.mjs";

const moment = () => new Promise((resolve) => setImmediate(resolve));
/** Unpacking is done by another thread. */
async function until(condition) {
  const late = performance.now() + 30_000;
  while (!condition() && performance.now() < late) await moment();
}

/** A message as the server cuts it. */
function parts(message, bytes = 20) {
  const packed = deflateSync(JSON.stringify(message), { level: 1 });
  const of = Math.ceil(packed.length / bytes);
  return Array.from({ length: of }, (_, index) => ({
    type: "part",
    i: index + 1,
    of,
    data: packed.subarray(index * bytes, (index + 1) * bytes).toString("base64"),
  }));
}

function assembling() {
  const seen = [];
  const assembly = new Assembly(
    (message) => seen.push(message.mark),
    () => seen.push("failed"),
  );
  const all = async (count) => {
    await until(() => seen.length >= count);
    return seen;
  };
  return { assembly, seen, all };
}

const picture = (mark) => ({ type: "snapshot", mark, view: { text: `Ünïcode ${"🚀 x".repeat(30)}` } });

test("a message in parts is acted upon when it is whole, and tells how far it is", async () => {
  const { assembly, seen, all } = assembling();
  const cut = parts(picture("picture"));
  assert.ok(cut.length > 2);
  assert.equal(assembly.fraction, null);
  for (const [index, part] of cut.entries()) {
    assert.deepEqual(seen, []);
    assembly.take(part);
    assert.equal(assembly.fraction, (index + 1) / cut.length);
  }
  assert.deepEqual(await all(1), ["picture"]);
  assert.equal(assembly.fraction, null);
});

test("deltas between the parts, and all that follows them, come after the message; answers between them do not wait", async () => {
  const { assembly, all } = assembling();
  const [first, ...others] = parts(picture("picture"));
  assembly.take(first);
  assembly.take({ type: "delta", mark: "delta between" });
  assembly.take({ type: "pong", mark: "pong between" });
  for (const part of others) assembly.take(part);
  assembly.take({ type: "ack", mark: "ack after" });
  const [next, ...rest] = parts(picture("second"));
  assembly.take(next);
  assembly.take({ type: "delta", mark: "delta of the second" });
  for (const part of rest) assembly.take(part);
  assembly.take({ type: "delta", mark: "last" });
  assert.deepEqual(await all(7), [
    "pong between",
    "picture",
    "delta between",
    "ack after",
    "second",
    "delta of the second",
    "last",
  ]);
});

test("parts that do not fit together fail", async () => {
  const cut = parts(picture("picture"));
  for (const wrong of [
    [cut[1]],
    [cut[0], cut[2]],
    [cut[0], { ...cut[1], of: 99 }],
    cut.map((part) => ({ ...part, data: btoa("nonsense") })),
    cut.slice(0, -1).map((part) => ({ ...part, of: cut.length - 1 })),
  ]) {
    const { assembly, all } = assembling();
    for (const part of wrong) assembly.take(part);
    assert.deepEqual(await all(1), ["failed"]);
  }
});

/** @type {FakeTime} */
let time;
beforeEach(() => {
  FakeSocket.all.length = 0;
  time = new FakeTime();
});
afterEach(() => time.restore());

const welcome = { type: "welcome", player: "p1", client: "tab", last_cid: 0, epoch: 1, tick: 5, tick_hz: 10, speed: 1 };
const snapshot = { type: "snapshot", tick: 5, seq: 3, n: 7, view: { text: "a picture ".repeat(50) }, outcomes: [] };

function live() {
  const seen = { receiving: [], pictures: 0, deltas: 0 };
  const queue = new CommandQueue(new FakeStorage(), "q", "tab", "token");
  const now = () => time.now;
  const connection = new Connection(
    { url: "ws://x", token: "token", queue, WebSocket: FakeSocket, random: () => 1, now },
    {
      receiving: () => seen.receiving.push(Math.floor(100 * connection.receiving)),
      snapshot: () => {
        seen.pictures += 1;
        assert.equal(connection.receiving, null, "with the picture there is nothing to wait for");
      },
      delta: () => (seen.deltas += 1),
    },
  );
  connection.open();
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome);
  const whole = () => until(() => seen.pictures);
  return { connection, seen, whole };
}

test("parts are signs of life: a picture that takes minutes arrives on its first connection", async () => {
  const { connection, seen, whole } = live();
  assert.match(FakeSocket.latest.url, /\?parts=deflate$/);
  assert.equal(connection.receiving, 0);
  const cut = parts(snapshot, 4);
  for (const part of cut) {
    time.pass(4000);
    FakeSocket.latest.say(part);
  }
  await whole();
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(seen.pictures, 1);
  assert.deepEqual(
    seen.receiving,
    cut.map((_, index) => Math.floor((100 * (index + 1)) / cut.length)),
  );
  assert.equal(connection.receiving, null);
  connection.close();
});

test("a picture that was cut in the middle is asked for again, and nothing of the first counts", async () => {
  const { connection, seen, whole } = live();
  const cut = parts(snapshot);
  FakeSocket.latest.say(cut[0]);
  const old = FakeSocket.latest;
  old.drop();
  assert.equal(connection.receiving, null);
  time.pass(250);
  FakeSocket.latest.open();
  assert.equal(FakeSocket.latest.of("hello")[0].resume, null);
  FakeSocket.latest.say(welcome);
  for (const part of cut.slice(1)) old.say(part);
  for (const part of cut) FakeSocket.latest.say(part);
  await whole();
  assert.equal(seen.pictures, 1);
  connection.close();
});

test("a picture that is unpacked after its connection was lost is not shown", async () => {
  const { connection, seen } = live();
  for (const part of parts(snapshot)) FakeSocket.latest.say(part);
  const { assembly } = connection;
  FakeSocket.latest.drop();
  await until(() => !assembly.busy);
  assert.equal(seen.pictures, 0);
  assert.equal(connection.position, null);
  connection.close();
});

test("after parts that do not fit together the picture is asked for whole", () => {
  const { connection } = live();
  FakeSocket.latest.say({ ...parts(snapshot)[1] });
  assert.equal(connection.state.kind, "offline");
  time.pass(250);
  assert.equal(FakeSocket.latest.url, "ws://x");
  FakeSocket.latest.open();
  FakeSocket.latest.say(welcome);
  time.pass(30000);
  assert.equal(FakeSocket.all.length, 2, "what is not heard of before its end is waited for longer");
  connection.close();
});
