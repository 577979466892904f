/** The replay scrubber: the map as it was, a slider over the past with its keyframes, commands and events, and play. */

import { make, say } from "../../web/js/dom.js";
import { formatTime } from "../../web/js/model.js";
import { Frame } from "./frame.js";
import { addMap, showOn } from "./galaxy.js";
import { mirrorOf } from "./mirror.js";
import { nearestMark, paintStrip } from "./strip.js";

const TICK_HZ = 10;
const SPEEDS = [1, 10, 60, 600];
/** Least time between two seeks that a drag asks for, in milliseconds. */
const DEBOUNCE_MS = 60;

/** Ask for the latest of many values, not more often than so. @param {(value: number) => void} act @param {number} apartMs */
export function debounced(act, apartMs, now = () => performance.now(), later = setTimeout) {
  let lastMs = -Infinity;
  let wanted = NaN;
  let waiting = false;
  return (/** @type {number} */ value) => {
    wanted = value;
    if (waiting) return;
    const restMs = lastMs + apartMs - now();
    const go = () => {
      waiting = false;
      lastMs = now();
      act(wanted);
    };
    if (restMs <= 0) return go();
    waiting = true;
    later(go, restMs);
  };
}

/** @param {any} model */
function controls(model) {
  const set = (/** @type {object} */ traits) => {
    model.set(traits);
    model.save_changes();
  };
  const play = make("button", { testid: "scrub-play" });
  play.addEventListener("click", () => {
    const atEnd = model.get("tick") >= model.get("end_tick");
    set(model.get("playing") ? { playing: false } : { playing: true, ...(atEnd && { tick: 0 }) });
  });
  const jump = (/** @type {-1 | 1} */ way, /** @type {string} */ text, /** @type {string} */ label) => {
    const made = make("button", { text, label, testid: way < 0 ? "scrub-back" : "scrub-on" });
    made.title = label;
    made.addEventListener("click", () => {
      const to = nearestMark(model.get("marks"), model.get("tick"), way);
      if (to !== null) set({ tick: to });
    });
    return made;
  };
  const speeds = make("select", { label: "Speed of playing", testid: "scrub-speed" });
  const offer = () => {
    const all = [...new Set([...SPEEDS, model.get("speed")])].sort((a, b) => a - b);
    speeds.replaceChildren(...all.map((one) => Object.assign(make("option", { text: `${one}×` }), { value: String(one) })));
    speeds.value = String(model.get("speed"));
  };
  offer();
  speeds.addEventListener("change", () => set({ speed: Number(speeds.value) }));
  const time = make("output", { testid: "scrub-time" });
  const mark = make("span", { className: "quiet" });
  const update = () => {
    const tick = model.get("tick");
    say(play, model.get("playing") ? "Pause" : "Play");
    say(time, `${formatTime(tick, TICK_HZ)} · tick ${tick.toLocaleString("en")} of ${model.get("end_tick").toLocaleString("en")}`);
    const here = model.get("marks").filter((/** @type {[number, string]} */ [at]) => at === tick);
    const found = model.get("indexed") ? "" : "Looking for events …";
    say(mark, here.length ? [...new Set(here.map((/** @type {[number, string]} */ [, what]) => what))].join(", ") : found);
  };
  const back = jump(-1, "◂", "To the command or event before");
  const on = jump(1, "▸", "To the next command or event");
  return { row: make("div", { className: "gamekit-row" }, back, play, on, speeds, time, mark), update, offer };
}

/** @param {{model: any, el: HTMLElement}} context */
async function render({ model, el }) {
  // The page's own model, which outlives the kernel; what anywidget hands out hides whether its kernel lives.
  const raw = await model.widget_manager.get_model(model.get("own_id"));
  const mirror = mirrorOf(raw);
  const frame = new Frame(el, "gamekit-scrubber", raw);
  const { map, box } = addMap(frame.element, {
    onSelect: (ship) => {
      if (model.get("selected") === (ship ?? "")) return;
      model.set("selected", ship ?? "");
      model.save_changes();
    },
  });
  const canvas = make("canvas", { className: "strip" });
  const slider = make("input", { testid: "scrub-slider", label: "Tick" });
  Object.assign(slider, { type: "range", min: "0", max: String(model.get("end_tick")), step: "1" });
  const { row, update, offer } = controls(model);
  frame.element.append(make("div", { className: "gamekit-track" }, canvas, slider), row);
  const seek = debounced((tick) => {
    model.set("tick", tick);
    model.save_changes();
  }, DEBOUNCE_MS);
  slider.addEventListener("input", () => {
    if (model.get("playing")) {
      model.set("playing", false);
      model.save_changes();
    }
    seek(Number(slider.value));
  });
  const strip = () =>
    paintStrip(canvas, {
      end: model.get("end_tick"), keyframes: model.get("keyframes"), marks: model.get("marks"), density: model.get("density"),
    });
  const move = () => {
    if (!slider.matches(":active")) slider.value = String(model.get("tick"));
    update();
  };
  const resize = () => {
    box.style.height = `${model.get("height")}px`;
  };
  const select = () => {
    const ship = model.get("selected") || null;
    if (ship !== map.selected) map.select(ship);
  };
  const show = (/** @type {any} */ message) => {
    // A replay goes back as well; the clock of a live game never does.
    map.clock.forget();
    showOn(map, message);
    if (message.follow) model.set("tick", message.clock.tick);
    move();
  };
  const listening = /** @type {[string, () => void][]} */ ([
    ["change:tick", move], ["change:playing", update], ["change:speed", offer], ["change:marks", strip],
    ["change:density", strip], ["change:indexed", update], ["change:height", resize], ["change:selected", select],
  ]);
  for (const [event, act] of listening) model.on(event, act);
  frame.atEnd(() => listening.forEach(([event, act]) => model.off(event, act)));
  const resizing = new ResizeObserver(strip);
  resizing.observe(canvas);
  frame.atEnd(() => resizing.disconnect());
  frame.atEnd(() => map.destroy());
  resize();
  mirror.listeners.add(show);
  frame.atEnd(() => mirror.listeners.delete(show));
  const refuse = (/** @type {any} */ message) => {
    if (message.kind === "refused") frame.refused(message.message);
  };
  raw.on("msg:custom", refuse);
  frame.atEnd(() => raw.off("msg:custom", refuse));
  show(mirror.message);
  select();
  return () => frame.close();
}

export default { render };
