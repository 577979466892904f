/** The glyphs and colours of the map, explained; loaded when somebody asks. */

import { make } from "./dom.js";
import { PALETTE, paintGlyphs } from "./glyphs.js";

const GLYPH_PX = 22;
/** Corners of a ship's mark, in pixels. @type {[number, number][]} */
const DART = [
  [8, 0],
  [-6, 5.5],
  [-3, 0],
  [-6, -5.5],
];
const KINDS = ["mine", "plant", "refinery", "factory", "hub", "habitat"];

/** Fill the legend. @param {HTMLUListElement} list */
export function fillLegend(list) {
  const ratio = devicePixelRatio || 1;
  const drawn = (
    /** @type {string} */ kind,
    /** @type {string} */ colour,
    /** @type {string} */ text,
    /** @type {string} */ status = "",
  ) => {
    const canvas = make("canvas");
    canvas.width = canvas.height = GLYPH_PX * ratio;
    const ctx = canvas.getContext("2d");
    ctx?.scale(ratio, ratio);
    if (ctx) paintGlyphs(ctx, [{ kind, spot: { x: GLYPH_PX / 2, y: GLYPH_PX / 2 } }], 6.5, colour, status);
    return make("li", {}, canvas, text);
  };
  const ship = (/** @type {string} */ colour, /** @type {string} */ text) => {
    const canvas = make("canvas");
    canvas.width = canvas.height = GLYPH_PX * ratio;
    const ctx = canvas.getContext("2d");
    ctx?.scale(ratio, ratio);
    ctx?.translate(GLYPH_PX / 2, GLYPH_PX / 2);
    ctx?.beginPath();
    for (const [x, y] of DART) ctx?.lineTo(x, y);
    if (ctx) ctx.fillStyle = colour;
    ctx?.fill();
    return make("li", {}, canvas, text);
  };
  const lane = (/** @type {string} */ colour, /** @type {string} */ text, /** @type {boolean} */ closed = false) => {
    const canvas = make("canvas");
    canvas.width = canvas.height = GLYPH_PX * ratio;
    const ctx = canvas.getContext("2d");
    if (!ctx) return make("li", {}, text);
    ctx.scale(ratio, ratio);
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = colour;
    if (closed) ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(1, GLYPH_PX / 2);
    ctx.lineTo(GLYPH_PX - 1, GLYPH_PX / 2);
    ctx.stroke();
    if (!closed) return make("li", {}, canvas, text);
    ctx.setLineDash([]);
    ctx.beginPath();
    for (const arm of [-5, 5]) {
      ctx.moveTo(GLYPH_PX / 2 - arm, GLYPH_PX / 2 - 5);
      ctx.lineTo(GLYPH_PX / 2 + arm, GLYPH_PX / 2 + 5);
    }
    ctx.stroke();
    return make("li", {}, canvas, text);
  };
  list.replaceChildren(
    ...KINDS.map((kind) => drawn(kind, PALETTE.station, kind.charAt(0).toUpperCase() + kind.slice(1))),
    drawn("factory", PALETTE.warn, "Starved: lacks wares", "starved"),
    drawn("factory", PALETTE.bad, "Clogged: full", "clogged"),
    ship(PALETTE.own, "Your ship"),
    ship(PALETTE.warn, "Your ship, holding"),
    ship(PALETTE.other, "Another player's"),
    ship(PALETTE.company, "A company's"),
    lane(PALETTE.lane, "Lane, quiet"),
    lane(PALETTE.lanes[3] ?? PALETTE.lane, "Lane, much traffic"),
    lane(PALETTE.laneClosed, "Lane, closed by a storm", true),
  );
}
