/**
 * The map's signs: its few colours, its font, and the shapes by which stations are told apart.
 *
 * @import {Spot} from "./layout.js"
 */

/** Few colours, each with one meaning. */
export const PALETTE = {
  ground: "#0b0f14",
  box: "#121a22",
  boxEdge: "#263442",
  boxEdgeHover: "#4a6076",
  grid: "#1a2530",
  name: "#8d9dad",
  text: "#dbe4ec",
  lane: "#3a4f63",
  laneClosed: "#a85751",
  station: "#a9b8c6",
  own: "#5fd4f4",
  route: "#ffd35c",
  other: "#8798ac",
  company: "#4b5c6e",
  warn: "#f4b05f",
  bad: "#f07f6b",
};
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

/** Corners of the glyphs, in parts of the radius. @type {Record<string, [number, number][]>} */
const GLYPHS = {
  mine: [
    [0, -1.05],
    [1.05, 0.8],
    [-1.05, 0.8],
  ],
  refinery: [
    [0, -1.15],
    [1.15, 0],
    [0, 1.15],
    [-1.15, 0],
  ],
  factory: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  hub: [
    [0, -1.1],
    [0.95, -0.55],
    [0.95, 0.55],
    [0, 1.1],
    [-0.95, 0.55],
    [-0.95, -0.55],
  ],
  habitat: [
    [0, -1.15],
    [1, -0.25],
    [1, 0.9],
    [-1, 0.9],
    [-1, -0.25],
  ],
};

/**
 * A station's glyph: triangle for a mine, circle for a plant, diamond, square, hexagon, house.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} kind
 * @param {Spot} spot
 * @param {number} radius pixels
 * @param {string} colour
 * @param {string} [status] a clogged station is filled, a starved one has gaps, so that no colour is needed
 */
export function paintGlyph(ctx, kind, { x, y }, radius, colour, status) {
  ctx.beginPath();
  const corners = GLYPHS[kind];
  if (corners) {
    for (const [dx, dy] of corners) ctx.lineTo(x + dx * radius, y + dy * radius);
    ctx.closePath();
  } else {
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
  }
  ctx.fillStyle = status === "clogged" ? colour : PALETTE.box;
  ctx.fill();
  if (status === "starved") ctx.setLineDash([radius * 0.7, radius * 0.35]);
  ctx.lineJoin = "round";
  ctx.lineWidth = Math.min(2, Math.max(1, radius * 0.24));
  ctx.strokeStyle = colour;
  ctx.stroke();
  ctx.setLineDash([]);
  if (kind !== "hub" || radius < 4) return;
  ctx.beginPath();
  ctx.arc(x, y, radius * 0.32, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
}
