/** The session console: pace, forks, who is there, why the game is awake, and a form for its rules. */

import { make, say } from "../../web/js/dom.js";
import { formatTime } from "../../web/js/model.js";
import { RulesForm } from "./rules.js";
import { LiveView } from "./view.js";

/** The slider's positions: 0.1 to 1,000, a hundred a decade. */
const STEPS_A_DECADE = 100;
const STEPS = [1, 10, 600];
const TICK_HZ = 10;

/** @param {number} position of the slider */
export function speedAt(position) {
  return Number((10 ** (position / STEPS_A_DECADE)).toPrecision(2));
}

/** @param {number} speed */
export function positionOf(speed) {
  return Math.round(Math.log10(Math.min(1000, Math.max(0.1, speed))) * STEPS_A_DECADE);
}

/** Who is there, in words. @param {{players?: {name: string}[], connections?: number}} about */
export function describePlayers({ players = [], connections = 0 }) {
  const names = players.map(({ name }) => name).join(", ") || "Nobody";
  return `${names} · ${connections === 1 ? "1 connection" : `${connections} connections`}`;
}

/** @param {string} text @param {string} testid @param {() => void} act */
function button(text, testid, act) {
  const made = make("button", { text, testid });
  made.addEventListener("click", act);
  return made;
}

/** @param {LiveView} view */
function paceRow(view) {
  const { model } = view;
  const ask = (/** @type {string} */ verb, /** @type {unknown} */ value = null) => view.send({ kind: "do", verb, value });
  const toggle = button("Pause", "console-pause", () => ask(model.get("paused") ? "resume" : "pause"));
  const steps = STEPS.map((ticks) =>
    button(ticks === 1 ? "Step 1 tick" : `+${ticks / TICK_HZ} s`, `console-step-${ticks}`, () => ask("step", ticks)),
  );
  const slider = make("input", { testid: "console-speed", label: "Speed" });
  Object.assign(slider, { type: "range", min: String(-STEPS_A_DECADE), max: String(3 * STEPS_A_DECADE), step: "1" });
  const speed = make("output", { className: "quiet" });
  // The sentence follows the thumb; the game, once it is let go of.
  slider.addEventListener("input", () => say(speed, `speed ${speedAt(Number(slider.value))}×`));
  slider.addEventListener("change", () => view.set("speed", speedAt(Number(slider.value))));
  const update = () => {
    say(toggle, model.get("paused") ? "Resume" : "Pause");
    for (const step of steps) step.disabled = !model.get("paused");
    if (document.activeElement === slider && slider.matches(":active")) return;
    slider.value = String(positionOf(model.get("speed")));
    say(speed, `speed ${model.get("speed")}×`);
  };
  view.listen("change:speed", update);
  view.listen("change:paused", update);
  update();
  return make("div", { className: "gamekit-row" }, toggle, ...steps, slider, speed);
}

/** @param {{model: any, el: HTMLElement}} context */
async function render(context) {
  const view = await LiveView.open(context, "gamekit-console");
  const { model, frame } = view;
  const ask = (/** @type {string} */ verb) => view.send({ kind: "do", verb, value: null });
  const title = make("b");
  const time = make("span", { className: "quiet", testid: "console-time" });
  const forks = make(
    "div",
    { className: "gamekit-row" },
    button("Fork into the notebook", "console-branch", () => ask("branch")),
    button("Fork to a new game", "console-fork", () => ask("fork")),
    button("Save capsule", "console-capsule", () => ask("capsule")),
  );
  const who = make("dd", { testid: "console-who" });
  const why = make("dd", { testid: "console-why" });
  const facts = make("dl", {}, make("dt", { text: "Plays" }), who, make("dt", { text: "Awake" }), why);
  const said = make("p", { className: "gamekit-said", testid: "console-said" });
  said.setAttribute("role", "status");
  said.hidden = true;
  const rules = new RulesForm((changes) => view.send({ kind: "do", verb: "rules", value: changes }));
  frame.element.append(
    make("div", { className: "gamekit-row" }, title, time), paceRow(view), forks, said, facts, rules.element,
  );
  const showAbout = () => {
    const about = model.get("about");
    say(title, about.name ?? "");
    say(who, describePlayers(about));
    say(why, (about.why_awake ?? []).join(" ") || (about.state === "asleep" ? "It sleeps." : "Nothing keeps it awake."));
  };
  const showRules = () => rules.update(model.get("fields"), model.get("rules"));
  view.listen("change:about", showAbout);
  view.listen("change:rules", showRules);
  view.listen("msg:custom", ({ kind, verb, bad, message }) => {
    if (kind !== "said") return;
    say(said, message);
    said.hidden = false;
    said.classList.toggle("problem", bad);
    if (verb === "rules") rules.answered(bad ? message : "");
  });
  showAbout();
  showRules();
  view.follow(({ clock }) => {
    // The kernel has speed from the same news; this is for links within the page, and not sent.
    model.set("speed", clock.speed);
    const tick = Math.floor(clock.tick);
    say(time, `${formatTime(tick, clock.tickHz)} · tick ${tick.toLocaleString("en")} · ${clock.paused ? "paused" : "runs"}`);
  });
  return () => frame.close();
}

export default { render };
