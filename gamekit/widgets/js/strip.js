/** The strip above the scrubber's slider: how much happened when, keyframes, commands and notable events. */

/** @typedef {[tick: number, what: string]} ReplayMark */

/** The slider's thumb is so wide; its middle runs over the rest, in pixels. */
const THUMB_PX = 16;
const KEYFRAME = "#8798ac";
const EVENT = "#e0913a";
const COMMAND = "#2aa7cc";

/**
 * The tick of the nearest mark before or after a tick; null when there is none.
 * @param {ReplayMark[]} marks in order
 * @param {number} tick
 * @param {-1 | 1} way
 */
export function nearestMark(marks, tick, way) {
  const there = marks.filter(([at]) => (way < 0 ? at < tick : at > tick));
  return (way < 0 ? there.at(-1) : there[0])?.[0] ?? null;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{end: number, keyframes: number[], marks: ReplayMark[], density: number[]}} shown
 */
export function paintStrip(canvas, { end, keyframes, marks, density }) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  if (!ctx || !width) return;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const x = (/** @type {number} */ tick) => THUMB_PX / 2 + (tick / Math.max(end, 1)) * (width - THUMB_PX);
  const most = Math.max(1, ...density);
  ctx.fillStyle = KEYFRAME;
  ctx.globalAlpha = 0.45;
  density.forEach((count, part) => {
    const tall = (height - 8) * Math.sqrt(count / most);
    const wide = (width - THUMB_PX) / density.length;
    ctx.fillRect(x((part * end) / density.length), height - 5 - tall, Math.max(1, wide - 0.5), tall);
  });
  ctx.globalAlpha = 1;
  for (const tick of keyframes) ctx.fillRect(x(tick) - 0.5, height - 4, 1, 4);
  for (const [tick, what] of marks) {
    // Events are named in capitals, commands are not: a square stands for one, a round for the other.
    const event = /^[A-Z]/.test(what);
    ctx.fillStyle = event ? EVENT : COMMAND;
    ctx.beginPath();
    if (event) ctx.rect(x(tick) - 2, 1, 4, 4);
    else ctx.arc(x(tick), 9, 2, 0, 2 * Math.PI);
    ctx.fill();
  }
}
