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
  lane: "#34485b",
  /** Lanes by how busy they are. */
  lanes: ["#34485b", "#42607b", "#52799c", "#6593bb"],
  laneClosed: "#a85751",
  station: "#a9b8c6",
  own: "#5fd4f4",
  route: "#ffd35c",
  other: "#bdb6ab",
  company: "#65798f",
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
 * Add a station's shape to the path: triangle for a mine, circle for a plant, diamond, square, hexagon, house.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} kind
 * @param {Spot} spot
 * @param {number} radius pixels
 */
export function traceGlyph(ctx, kind, { x, y }, radius) {
  const corners = GLYPHS[kind];
  if (!corners) {
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const [endX, endY] = corners[corners.length - 1] ?? [0, 0];
  ctx.moveTo(x + endX * radius, y + endY * radius);
  for (const [dx, dy] of corners) ctx.lineTo(x + dx * radius, y + dy * radius);
}

/**
 * Paint stations of one status, whose glyphs are told apart by shape and their troubles without colour as well.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{kind: string, spot: Spot}[]} stations
 * @param {number} radius pixels
 * @param {string} colour
 * @param {string} [status] a clogged station is filled, a starved one has gaps
 */
export function paintGlyphs(ctx, stations, radius, colour, status) {
  if (!stations.length) return;
  ctx.beginPath();
  for (const { kind, spot } of stations) traceGlyph(ctx, kind, spot, radius);
  ctx.fillStyle = status === "clogged" ? colour : PALETTE.box;
  ctx.fill();
  if (status === "starved") ctx.setLineDash([radius * 0.7, radius * 0.35]);
  ctx.lineJoin = ctx.lineCap = "round";
  if (status === "starved") ctx.lineCap = "butt";
  ctx.lineWidth = Math.min(2, Math.max(1, radius * 0.24));
  ctx.strokeStyle = colour;
  ctx.stroke();
  ctx.setLineDash([]);
  const hubs = radius < 4 ? [] : stations.filter(({ kind }) => kind === "hub");
  if (!hubs.length) return;
  ctx.beginPath();
  for (const { spot } of hubs) traceGlyph(ctx, "", spot, radius * 0.32);
  ctx.fillStyle = colour;
  ctx.fill();
}
