import assert from "node:assert/strict";
import { test } from "node:test";

import { GameClock } from "../../../gamekit/web/js/model.js";
import { ServerTime } from "../../../gamekit/web/js/servertime.js";
import { seeded } from "./fakes.mjs";

/** Plays a server with a true clock behind a network, and returns the page's errors in ticks, one a frame after a while. */
function errors({ oneWayMs, jitterMs, lateMs = 0, seconds = 60, startTick = 1234.567 }) {
  const chance = seeded(7);
  const truth = (ms) => startTick + ms / 100;
  const transit = () => oneWayMs + jitterMs * chance() ** 3;
  const arriving = [];
  for (let ms = 0; ms < seconds * 1000; ms += 20) {
    // Ticks at which something happens are told when they begin, or a little late.
    if (chance() < 0.05) {
      const tick = Math.ceil(truth(ms));
      arriving.push({ ms: (tick - startTick) * 100 + lateMs * chance() + transit(), tick });
    }
    if (ms % 2000 === 0) {
      const readMs = ms + transit();
      arriving.push({ ms: readMs + transit(), tick: Math.floor(truth(readMs)), sentMs: ms });
    }
  }
  arriving.sort((a, b) => a.ms - b.ms);
  const [time, clock, found] = [new ServerTime(), new GameClock(), []];
  time.pace(10);
  for (let ms = 0; ms < seconds * 1000; ms += 16) {
    while (arriving[0]?.ms <= ms) {
      const { ms: nowMs, tick, sentMs } = arriving.shift();
      const shown = sentMs === undefined ? time.heard(tick, nowMs) : time.answered(tick, sentMs, nowMs);
      clock.set({ tick: shown, speed: 1, paused: false, tickHz: 10 }, nowMs);
    }
    if (ms > 8000) found.push(clock.at(ms) - truth(ms));
  }
  return found;
}

for (const [name, network] of Object.entries({
  "on loopback": { oneWayMs: 1, jitterMs: 4 },
  "with 80 ms one way and as much jitter": { oneWayMs: 80, jitterMs: 80, lateMs: 10 },
  "with 200 ms one way": { oneWayMs: 200, jitterMs: 120, lateMs: 20 },
})) {
  test(`the shown clock is less than a tick off ${name}`, () => {
    const off = errors(network).map(Math.abs);
    assert.ok(off.length > 1000);
    assert.ok(Math.max(...off) < 1, `worst ${Math.max(...off)}`);
  });
}

test("at another speed and after a jump the clock begins anew", () => {
  const time = new ServerTime();
  time.pace(10);
  time.answered(100, 0, 10);
  time.pace(1000);
  assert.equal(time.heard(5000, 1000), 5000 + time.rate * 5);
  time.pace(10);
  time.heard(9000, 2000);
  time.answered(6000, 2001, 2010);
  assert.ok(time.at(2010) > 8999, "a moment's stop is not followed");
  time.answered(6020, 4001, 4010);
  assert.ok(Math.abs(time.at(4010) - 6020) < 1.2, "a clock that went back is followed");
});

test("nothing grows while it listens", () => {
  const time = new ServerTime();
  time.pace(10);
  for (let ms = 0; ms < 600_000; ms += 20) time.answered(Math.floor(ms / 100), ms, ms + 3);
  assert.ok(time.lows.length <= 200 && time.highs.length <= 200 && time.trips.length <= 200);
});

test("a paused clock stands", () => {
  const time = new ServerTime();
  time.pace(0);
  time.heard(50, 1000);
  assert.equal(time.at(90_000), 50);
});
