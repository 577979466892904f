// The widgets' modules that need no page: the mirror of the stream, the rules form's checks, the scrubber's marks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { describePlayers, positionOf, speedAt } from "../../../gamekit/widgets/js/console.js";
import { whereabouts } from "../../../gamekit/widgets/js/fleet.js";
import { Mirror, mirrorOf } from "../../../gamekit/widgets/js/mirror.js";
import { changesOf, problemOf } from "../../../gamekit/widgets/js/rules.js";
import { debounced } from "../../../gamekit/widgets/js/scrubber.js";
import { nearestMark } from "../../../gamekit/widgets/js/strip.js";

const clock = { tick: 5, speed: 1, paused: false, tickHz: 10 };

/** A stream's model as far as a mirror uses it. */
function stream() {
  const listeners = {};
  const sent = [];
  const start = { kind: "view", view: { ships: { a: { x: 1 } } }, player: "p", clock, n: 3 };
  return {
    sent,
    get: () => start,
    send: (content) => sent.push(content),
    on: (event, listener) => (listeners[event] = listener),
    tell: (message) => listeners["msg:custom"](message),
  };
}

const changes = (n, x) => ({ kind: "changes", changes: [{ ships: { a: { x } } }], clock, connected: true, ended: false, n });

test("all widgets of a stream share one mirror", () => {
  const one = stream();
  assert.equal(mirrorOf(one), mirrorOf(one));
});

test("a mirror follows the stream and tells each listener once", () => {
  const source = stream();
  const mirror = new Mirror(source);
  const heard = [];
  mirror.listeners.add((message) => heard.push(message.n));
  source.tell(changes(4, 2));
  source.tell(changes(5, 3));
  assert.equal(mirror.message.view.ships.a.x, 3);
  assert.equal(mirror.message.player, "p");
  assert.deepEqual(heard, [4, 5]);
  assert.deepEqual(source.sent, []);
});

test("a mirror that missed a message asks once for everything and shows nothing false meanwhile", () => {
  const source = stream();
  const mirror = new Mirror(source);
  source.tell(changes(6, 9));
  source.tell(changes(7, 9));
  assert.deepEqual(source.sent, [{ kind: "whole" }]);
  assert.equal(mirror.message.view.ships.a.x, 1);
  source.tell({ kind: "view", view: { ships: { a: { x: 8 } } }, player: "p", clock, n: 8 });
  source.tell(changes(9, 10));
  assert.equal(mirror.message.view.ships.a.x, 10);
  assert.equal(source.sent.length, 1);
});

const field = { name: "jump_ticks", default: 50, low: 1, high: 36000, unit: "ticks", sentence: "", at_start: false };

test("a rule's value is checked in words before it is sent", () => {
  assert.equal(problemOf(field, "20"), "");
  assert.equal(problemOf(field, "0"), "From 1 to 36,000 ticks, please.");
  for (const text of ["", "1.5", "x"]) assert.equal(problemOf(field, text), "A whole number, please.");
});

test("only what was changed is sent, and nothing while anything is wrong", () => {
  const other = { ...field, name: "dock_ticks" };
  const rules = { jump_ticks: 50, dock_ticks: 10 };
  const typed = (entries) => changesOf([field, other], rules, new Map(Object.entries(entries)));
  assert.deepEqual(typed({ jump_ticks: "20", dock_ticks: "10" }), { changes: { jump_ticks: 20 }, fine: true });
  assert.equal(typed({ jump_ticks: "20", dock_ticks: "-1" }).fine, false);
});

test("the speed slider has a decade in equal parts and comes back to where it was", () => {
  for (const speed of [0.1, 1, 5, 20, 1000]) assert.equal(speedAt(positionOf(speed)), speed);
  assert.equal(positionOf(5000), positionOf(1000));
});

test("who is there is said in words", () => {
  assert.equal(describePlayers({ players: [{ name: "Ada" }, { name: "Bob" }], connections: 1 }), "Ada, Bob · 1 connection");
  assert.equal(describePlayers({}), "Nobody · 0 connections");
});

test("a drag over many values asks for the first and the last, and not more often than allowed", () => {
  const asked = [];
  let nowMs = 0;
  let later = () => {};
  const seek = debounced((value) => asked.push(value), 60, () => nowMs, (go) => (later = go));
  for (let value = 1; value <= 50; value += 1) seek(value);
  assert.deepEqual(asked, [1]);
  nowMs = 60;
  later();
  assert.deepEqual(asked, [1, 50]);
});

test("the jump buttons go to the nearest mark on their side", () => {
  const marks = [[5, "move"], [9, "GateClosed"], [30, "move"]];
  assert.equal(nearestMark(marks, 9, -1), 5);
  assert.equal(nearestMark(marks, 9, 1), 30);
  assert.equal(nearestMark(marks, 30, 1), null);
});

test("a ship is where its leg, dock or gate is, by name", () => {
  const view = {
    sectors: { sol: { name: "Sol" }, sirius: { name: "Sirius" } },
    gates: { "sol:sirius": { sector: "sol", x: 0, y: 0 }, "sirius:sol": { sector: "sirius", x: 0, y: 0 } },
    stations: { hub: { name: "Sol Hub", sector: "sol", x: 0, y: 0 } },
  };
  assert.equal(whereabouts(view, { at: { type: "dock", station: "hub" } }, 0), "Sol Hub");
  assert.equal(whereabouts(view, { at: { type: "space", sector: "sol", x: 0, y: 0 } }, 0), "Sol");
  const at = { type: "gate", gate: "sol:sirius", exit: "sirius:sol", depart: 0, arrive: 9 };
  assert.equal(whereabouts(view, { at }, 1), "in the gate to Sirius");
});
