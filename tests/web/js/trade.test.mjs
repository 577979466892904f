import assert from "node:assert/strict";
import { test } from "node:test";

import { bestOffers } from "../../../gamekit/web/js/market.js";
import { afterQueue, feeOf, priceAt, quote, rulesOf, tradeTotal } from "../../../gamekit/web/js/trade.js";

const view = () => ({
  wares: {
    ore: { name: "Ore", tier: 1, volume: 3, base_price: 1000 },
    food: { name: "Food", tier: 1, volume: 1, base_price: 1601 },
  },
  stations: {
    hub: {
      name: "Hub",
      sells: ["ore", "food"],
      buys: ["ore", "food"],
      stock: { ore: 200, food: 0 },
      capacity: { ore: 400, food: 400 },
      price: { ore: 1000, food: 2081 },
    },
    mine: { name: "Mine", sells: ["ore"], buys: [], stock: { ore: 300 }, capacity: { ore: 400 }, price: { ore: 850 } },
  },
});
const rules = (given = {}) => rulesOf(view(), { price_spread_percent: 30, ...given });
const ask = (fields = {}) => ({
  kind: "buy",
  station: "hub",
  ware: "ore",
  units: 40,
  hold: {},
  capacity: 400,
  credits: 10_000_000,
  ...fields,
});

test("the price is linear in the stock, and never below one", () => {
  assert.equal(priceAt(1000, 30, 0, 400), 1300);
  assert.equal(priceAt(1000, 30, 200, 400), 1000);
  assert.equal(priceAt(1000, 30, 400, 400), 700);
  assert.equal(priceAt(1, 90, 400, 400), 1);
});

test("totals are exact beyond the numbers that a float can count", () => {
  assert.equal(tradeTotal(1_000_000, 30, 0, 1_000_000, 1_000_000), 1_300_000_000_000);
  assert.equal(tradeTotal(-1601, 30, 101, 1, 400), -1961);
});

test("a quote tells units, total and what the price becomes, rounded against the trader", () => {
  const bought = quote(view(), rules(), ask());
  assert.deepEqual(bought, { units: 40, total: 41_200, fee: 0, before: 1000, after: 1060, limit: "" });
  const sold = quote(view(), rules(), ask({ kind: "sell", hold: { ore: 50 } }));
  assert.deepEqual(sold, { units: 40, total: 38_800, fee: 0, before: 1000, after: 940, limit: "" });
});

test("a quote is cut down to stock, hold, credits, room and load, and says by what", () => {
  const cut = (fields, given) => {
    const { units, limit } = quote(view(), rules(given), ask(fields));
    return [units, limit];
  };
  assert.deepEqual(cut({ units: 500, capacity: 10_000 }), [200, "no_stock"]);
  assert.deepEqual(cut({ units: 500 }), [133, "hold_full"]);
  assert.deepEqual(cut({ units: 500, hold: { food: 100 } }), [100, "hold_full"]);
  assert.deepEqual(cut({ credits: 2_002 }), [1, "no_credits"]);
  assert.deepEqual(cut({ credits: 0 }), [0, "no_credits"]);
  assert.deepEqual(cut({ kind: "sell", hold: { ore: 7 } }), [7, "no_cargo"]);
  assert.deepEqual(cut({ kind: "sell", units: 500, hold: { ore: 900 } }), [200, "no_room"]);
  assert.deepEqual(cut({ units: 500, capacity: 10_000 }, { minimum_stock_percent: 10 }), [160, "minimum_stock"]);
  assert.deepEqual(cut({ ware: "food" }), [0, "no_stock"]);
});

test("a fee comes on top and is rounded up; credits must reach for it too", () => {
  assert.equal(feeOf(5, 41_201), 207);
  assert.equal(quote(view(), rules({ trade_fee_permille: 5 }), ask()).fee, 206);
  assert.deepEqual(quote(view(), rules({ trade_fee_permille: 500 }), ask({ credits: 41_200 })).units < 40, true);
});

test("rules in the view come before those of the welcome, and unknown ones fall back", () => {
  const of = rulesOf({ ...view(), rules: { price_spread_percent: { value: 50 } } }, { price_spread_percent: 30 });
  assert.equal(of("price_spread_percent", 0), 50);
  assert.equal(of("never_heard_of", 7), 7);
});

test("nothing is quoted for what is not known", () => {
  assert.equal(quote(view(), rules(), ask({ station: "gone" })), null);
  assert.equal(quote(view(), rules(), ask({ ware: "gone" })), null);
});

test("the queue tells where a ship will trade and with what", () => {
  const ship = { at: { type: "dock", station: "hub" }, hold: { ore: 5 }, queue: [] };
  assert.deepEqual(afterQueue(ship), { station: "hub", hold: { ore: 5 }, later: false });
  ship.queue = [
    { type: "sell", ware: "ore", units: 9 },
    { type: "fly" },
    { type: "dock", station: "mine" },
    { type: "buy", ware: "ore", units: 20 },
  ];
  assert.deepEqual(afterQueue(ship), { station: "mine", hold: { ore: 20 }, later: true });
  ship.queue.push({ type: "fly" });
  assert.equal(afterQueue(ship).station, null);
});

test("the best offers are the cheapest stock and the best paying room", () => {
  const [ore, food] = bestOffers(view());
  assert.deepEqual(ore, {
    ware: "ore",
    ask: { station: "mine", price: 850, units: 300 },
    bid: { station: "hub", price: 1000, units: 200 },
  });
  assert.deepEqual(food, { ware: "food", ask: null, bid: { station: "hub", price: 2081, units: 400 } });
});
