import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { PALETTE } from "../../../gamekit/web/js/glyphs.js";

/** How people see who lack one kind of cones, in linear RGB (Machado, Oliveira, Fernandes 2009, severity 1). */
const SIGHTS = {
  everybody: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
/** What is told apart by colour alone: ships by their owners, a route from a lane, busy lanes from quiet ones. */
const APART = [
  ["own", "other"],
  ["own", "company"],
  ["own", "route"],
  ["own", "warn"],
  ["other", "company"],
  ["route", "other"],
  ["route", "lane"],
];

function linear(hex) {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

function lab(rgb) {
  const [r, g, b] = rgb.map((part) => Math.min(1, Math.max(0, part)));
  const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function seen(hex, matrix) {
  const [r, g, b] = linear(hex);
  return lab([0, 3, 6].map((row) => matrix[row] * r + matrix[row + 1] * g + matrix[row + 2] * b));
}

function apart(one, other, matrix) {
  const [a, b] = [seen(one, matrix), seen(other, matrix)];
  return Math.hypot(...a.map((part, index) => part - b[index]));
}

for (const [who, matrix] of Object.entries(SIGHTS)) {
  test(`what only colours tell apart is apart for ${who}`, () => {
    for (const [one, other] of APART) {
      const distance = apart(PALETTE[one], PALETTE[other], matrix);
      assert.ok(distance > 15, `${one} and ${other}: ${distance.toFixed(1)}`);
    }
    assert.ok(apart(PALETTE.lanes[0], PALETTE.lanes[3], matrix) > 15);
  });
}

/** Colours that pages and map share: by their names in the style sheet. */
const SHARED = {
  ground: "ground",
  raised: "box",
  edge: "boxEdge",
  "edge-strong": "boxEdgeHover",
  text: "text",
  quiet: "name",
  own: "own",
  route: "route",
  warn: "warn",
  bad: "bad",
};

test("pages and map mean the same by a colour", () => {
  const sheet = readFileSync(new URL("../../../gamekit/web/style.css", import.meta.url), "utf8");
  for (const [name, colour] of Object.entries(SHARED)) assert.ok(sheet.includes(`  --${name}: ${PALETTE[colour]};`), name);
});
