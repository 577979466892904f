import assert from "node:assert/strict";
import { test } from "node:test";

import { Annals, Series } from "../../../gamekit/web/js/annals.js";
import { OrderBook } from "../../../gamekit/web/js/orderbook.js";
import { CommandQueue } from "../../../gamekit/web/js/queue.js";
import { Selection } from "../../../gamekit/web/js/selection.js";
import { tell } from "../../../gamekit/web/js/tales.js";
import { FakeStorage } from "./fakes.mjs";

const view = {
  sectors: { sol: { name: "Sol" } },
  gates: { "sol:x": { sector: "sol", to: "x:sol", to_sector: null } },
  stations: {
    hub: {
      name: "Hub",
      sector: "sol",
      sells: ["ore"],
      buys: [],
      stock: { ore: 5 },
      capacity: { ore: 9 },
      price: { ore: 100 },
    },
  },
  ships: { s1: { name: "Mercury", owner: "p1" }, s2: { name: "Venus", owner: "p2" } },
  players: { p1: { name: "Ada", credits: 1000 } },
  wares: { ore: { name: "Ore", volume: 1, base_price: 100 } },
};

test("an order is followed from the click to its end", () => {
  const queue = new CommandQueue(new FakeStorage(), "k", "tab", "t");
  const book = new OrderBook();
  const states = () => book.seen(0).map(({ state }) => state);
  queue.add({ type: "stop", ship: "s1" });
  queue.add({ type: "move", ship: "s2" });
  book.follow(queue);
  assert.deepEqual(states(), ["waiting", "waiting"]);
  queue.reconnected(0);
  queue.take();
  book.follow(queue);
  assert.deepEqual(states(), ["sent", "sent"]);
  queue.acknowledged(1, 7);
  book.follow(queue);
  assert.deepEqual(states(), ["acknowledged", "sent"]);
  book.end(queue.ended(1), { cid: 1 }, 0);
  book.end(queue.ended(2), { cid: 2, code: "no_route", message: "No way." }, 0);
  book.follow(queue);
  assert.deepEqual(states(), ["done", "refused"]);
  const [refused] = book.seen(60_000);
  assert.deepEqual([refused.state, refused.message, book.seen(60_000).length], ["refused", "No way.", 1]);
  assert.equal(book.of("s2", 60_000).length, 1);
  assert.deepEqual(book.dismiss([refused]), [{ type: "move", ship: "s2" }]);
  assert.deepEqual(book.seen(60_000), []);
});

test("refusals stay until they are put away, all together or one by one, and come back in the order given", () => {
  const queue = new CommandQueue(new FakeStorage(), "k", "tab", "t");
  const book = new OrderBook();
  for (let mark = 1; mark <= 300; mark += 1) queue.add({ type: "move", mark });
  queue.reconnected(0, 300);
  queue.take();
  book.follow(queue);
  for (let cid = 300; cid >= 1; cid -= 1) {
    const outcome = cid % 3 ? { cid, code: "no_route", message: "No way." } : { cid };
    book.end(queue.ended(cid), outcome, 0);
  }
  assert.equal(book.refused.length, 200);
  assert.equal(book.ended.length, 240, "of what was carried out only the latest");
  const marks = book.dismiss(book.refused.slice(0, 3)).map(({ mark }) => mark);
  assert.deepEqual(marks, [1, 2, 4]);
  assert.equal(book.dismiss(book.refused).length, 197);
  assert.deepEqual(book.refused, []);
});

test("an order that was sent counts as waiting again when the connection is gone", () => {
  const queue = new CommandQueue(new FakeStorage(), "k", "tab", "t");
  const book = new OrderBook();
  queue.add({ type: "stop", ship: "s1" });
  queue.take();
  queue.reconnected(0);
  book.follow(queue);
  assert.equal(book.seen(0)[0].state, "waiting");
});

test("the order book keeps refusals before what is done, and never grows", () => {
  const book = new OrderBook();
  const end = (code) => book.end({ cid: 1, body: { type: "stop" }, sent: true, seq: null }, { cid: 1, code }, 0);
  end("bad");
  for (let round = 0; round < 500; round += 1) end(undefined);
  assert.equal(book.ended.length, 41, "forty that were carried out");
  assert.equal(book.ended[0].state, "refused");
  for (let round = 0; round < 1500; round += 1) end("bad");
  assert.equal(book.refused.length, 1000);
  assert.equal(book.ended.length, 1040);
});

test("a series keeps its whole span in few points, and its last is the present", () => {
  const series = new Series();
  for (let tick = 0; tick < 360_000; tick += 10) series.push(tick, tick * 2);
  assert.ok(series.points.length <= 121, String(series.points.length));
  assert.deepEqual(series.points[0], [0, 0]);
  assert.deepEqual(series.points.at(-1), [359_990, 719_980]);
  const steps = series.points.slice(1).map(([tick], index) => tick - series.points[index][0]);
  assert.ok(Math.max(...steps) < 360_000 / 20, "no wide hole");
});

test("the annals are bounded", () => {
  const annals = new Annals();
  for (let tick = 0; tick < 3000; tick += 1) {
    const event = {
      type: "WareBought",
      player: "p1",
      ship: "s1",
      station: "hub",
      ware: "ore",
      units: 1,
      price: 1,
      total: 1,
    };
    annals.delta(view, "p1", { tick, events: [event, { type: "NeverHeardOf", ship: {} }], changes: {} });
    annals.sample(view, "p1", tick);
  }
  assert.equal(annals.log.length, 300);
  assert.equal(annals.trades.length, 200);
  assert.ok(annals.credits.points.length <= 121);
  assert.ok(annals.prices.get("ore").ask.points.length <= 121);
});

test("a partial fill is told, by what the server says or by what was asked", () => {
  const annals = new Annals();
  const bought = {
    type: "WareBought",
    player: "p1",
    ship: "s1",
    station: "hub",
    ware: "ore",
    units: 40,
    price: 100,
    total: 4000,
  };
  const delta = (event) => ({
    tick: 9,
    at: [8, 8],
    events: [event, { type: "EntryDone", ship: "s1", order: 3 }],
    changes: {},
  });
  const [told] = annals.delta(view, "p1", delta(bought), new Map([["s1:3", 90]]));
  assert.deepEqual(told, {
    tick: 8,
    text: "Mercury bought only 40 of 90 Ore at Hub for 40 cr: no more could be moved",
    kind: "bad",
  });
  const [other] = annals.delta(view, "p1", delta({ ...bought, wanted: 50, limited_by: "hold_full", fee: 20 }));
  assert.equal(other.text, "Mercury bought only 40 of 50 Ore at Hub for 40 cr, fee 0.20: the hold is full then");
  const [full] = annals.delta(view, "p1", delta(bought), new Map([["s1:3", 40]]));
  assert.equal(full.text, "Mercury bought 40 Ore at Hub for 40 cr");
});

test("only what concerns a player is told, and strange events hurt nobody", () => {
  const text = (event) => tell(view, "p1", event)?.text;
  assert.equal(text({ type: "ShipDocked", ship: "s1", station: "hub" }), "Mercury docked at Hub");
  assert.equal(text({ type: "ShipDocked", ship: "s2", station: "hub" }), undefined);
  assert.equal(text({ type: "ShipDocked", ship: "gone", station: "gone" }), undefined);
  assert.equal(text({ type: "GateClosed", gate: "sol:x" }), "The gate from Sol to the unknown is closed");
  view.gates["x:sol"] = { sector: "sol", to: "sol:x", to_sector: "sol" };
  assert.equal(text({ type: "GateOpened", gate: "x:sol" }), undefined, "a passage is told of once");
  assert.equal(text({ type: "SomethingNew", ship: "s1" }), undefined);
  assert.equal(text({ type: "PlayerJoined", name: "<b>Eve</b>" }), "<b>Eve</b> joined the game");
});

test("a selection tells of changes only, and keeps what is still there", () => {
  let changes = 0;
  const selection = new Selection(() => (changes += 1));
  selection.set(["a", "b"]);
  selection.set(["b", "a"]);
  assert.deepEqual([changes, selection.first, selection.size], [1, "a", 2]);
  selection.toggle("a");
  selection.toggle("c");
  selection.keep((id) => id !== "b");
  assert.deepEqual([...selection.ids], ["c"]);
  selection.set([]);
  assert.equal(selection.first, null);
});
