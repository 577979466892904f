/**
 * The tick-latency chart: lateness of ticks over the last minute, drawn on a canvas.
 */

import { Frame } from "./frame.js";

/** Unix time in seconds, then milliseconds: late p50, late p99, work p50, work p99. @typedef {[number, number, number, number, number]} Row */

const SPAN_S = 60;
const INK = "#808080";
/** Column of the row, name, colour. @type {[1 | 2 | 3 | 4, string, string][]} */
const LINES = [
  [1, "lateness, median", "#56B4E9"],
  [2, "lateness, p99", "#E69F00"],
  [4, "duration, p99", "#009E73"],
];
const LEFT = 44;
const TOP = 22;
const BOTTOM = 18;
/** Rows further apart than this many seconds are not joined: nothing ticked between them. */
const GAP_S = 2.5;

/** The next round number at or above a value. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 0.01)));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

/**
 * What the minute's single ticks come to, in a line.
 * @param {{ticks?: number, late?: number[], work?: number[]}} percentiles of 50, 90, 99 and 100 percent, in ms
 */
function inWords({ ticks, late, work }) {
  if (!ticks || !late || !work) return "";
  const names = ["50 %", "90 %", "99 %", "worst"];
  const told = (/** @type {number[]} */ values) =>
    values.map((ms, place) => `${names[place]} ${ms < 10 ? ms.toFixed(1) : Math.round(ms)}`).join(" · ");
  return `${ticks} ticks, ms. Lateness: ${told(late)}. Duration: ${told(work)}`;
}

/** @param {CanvasRenderingContext2D} ctx @param {number} width @param {number} height @param {Row[]} rows */
function draw(ctx, width, height, rows) {
  ctx.clearRect(0, 0, width, height);
  ctx.font = "11px system-ui, sans-serif";
  const now = rows.at(-1)?.[0] ?? 0;
  const top = roundUp(Math.max(1, ...rows.flatMap((row) => LINES.map(([column]) => row[column]))));
  const x = (/** @type {number} */ at) => LEFT + (1 - (now - at) / SPAN_S) * (width - LEFT - 8);
  const y = (/** @type {number} */ ms) => height - BOTTOM - (ms / top) * (height - BOTTOM - TOP);
  ctx.fillStyle = INK;
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    ctx.globalAlpha = 0.3;
    ctx.beginPath();
    ctx.moveTo(LEFT, y(top * share));
    ctx.lineTo(width - 8, y(top * share));
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.textAlign = "right";
    ctx.fillText(`${+(top * share).toPrecision(3)} ms`, LEFT - 6, y(top * share) + 4);
  }
  ctx.textAlign = "center";
  for (const ago of [60, 30, 0]) ctx.fillText(ago ? `-${ago} s` : "now", x(now - ago) - (ago ? 0 : 12), height - 4);
  ctx.textAlign = "left";
  let left = LEFT;
  for (const [column, name, colour] of LINES) {
    ctx.fillStyle = ctx.strokeStyle = colour;
    ctx.fillRect(left, 7, 10, 3);
    ctx.fillText(name, left + 14, 12);
    left += 24 + ctx.measureText(name).width;
    ctx.beginPath();
    ctx.lineWidth = 1.5;
    let before = -Infinity;
    for (const row of rows) {
      if (row[0] - before > GAP_S) ctx.moveTo(x(row[0]), y(row[column]));
      else ctx.lineTo(x(row[0]), y(row[column]));
      before = row[0];
    }
    ctx.stroke();
  }
  if (!rows.length) {
    ctx.fillStyle = INK;
    ctx.fillText("Waiting for the first second of ticks ...", LEFT + 8, height / 2);
  }
}

/** @param {{model: any, el: HTMLElement}} context */
async function render({ model, el }) {
  const raw = await model.widget_manager.get_model(model.get("own_id"));
  const frame = new Frame(el, "gamekit-latencybox", raw);
  const canvas = document.createElement("canvas");
  canvas.className = "gamekit-latency";
  Object.assign(canvas.style, { width: "100%", height: `${model.get("height")}px`, display: "block" });
  canvas.setAttribute("role", "img");
  const words = document.createElement("div");
  words.className = "gamekit-latency-words";
  Object.assign(words.style, { color: INK, font: "11px system-ui, sans-serif", padding: "2px 8px 4px", minHeight: "15px" });
  frame.element.append(canvas, words);
  const paint = () => {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const ctx = canvas.getContext("2d");
    if (!ctx || !width) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const rows = model.get("rows");
    draw(ctx, width, height, rows);
    words.textContent = inWords(model.get("percentiles"));
    const last = rows[rows.length - 1];
    canvas.setAttribute("aria-label", last ? `Tick lateness: median ${last[1]} ms, p99 ${last[2]} ms` : "Tick lateness");
  };
  const resizing = new ResizeObserver(paint);
  resizing.observe(canvas);
  model.on("change:rows change:percentiles", paint);
  paint();
  return () => {
    frame.close();
    resizing.disconnect();
    model.off("change:rows change:percentiles", paint);
  };
}

export default { render };
