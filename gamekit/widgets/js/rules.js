/**
 * A form for rules, made from their table: for each its value, unit, range and sentence. What was changed goes out together.
 */

import { make, say } from "../../web/js/dom.js";

/** @typedef {{name: string, default: number, low: number, high: number, unit: string, sentence: string, at_start: boolean}} Field */

/**
 * What is wrong with a value, in words; empty when it is fine.
 * @param {Field} field
 * @param {string} text as typed
 */
export function problemOf(field, text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value)) return "A whole number, please.";
  const [low, high] = [field.low.toLocaleString("en"), field.high.toLocaleString("en")];
  if (value < field.low || value > field.high) return `From ${low} to ${high} ${field.unit}, please.`;
  return "";
}

/**
 * What was typed that is not in force, and whether all of it may be sent.
 * @param {Field[]} fields
 * @param {Record<string, number>} rules in force
 * @param {Map<string, string>} typed
 */
export function changesOf(fields, rules, typed) {
  /** @type {Record<string, number>} */
  const changes = {};
  let fine = true;
  for (const field of fields) {
    const text = typed.get(field.name);
    if (text === undefined || (text.trim() !== "" && Number(text) === rules[field.name])) continue;
    if (problemOf(field, text)) fine = false;
    else changes[field.name] = Number(text);
  }
  return { changes, fine };
}

export class RulesForm {
  /** @param {(changes: Record<string, number>) => void} apply */
  constructor(apply) {
    /** @type {Field[]} */
    this.fields = [];
    /** @type {Record<string, number>} */
    this.rules = {};
    /** @type {Map<string, string>} */
    this.typed = new Map();
    /** @type {Map<string, {row: HTMLElement, input: HTMLInputElement, note: HTMLElement, text: string}>} */
    this.rows = new Map();
    this.summary = make("summary", { text: "Rules", testid: "console-rules" });
    this.search = make("input", { label: "Find a rule", testid: "rules-search" });
    this.search.type = "search";
    this.search.placeholder = "Find a rule";
    this.search.addEventListener("input", () => this.filter());
    this.go = make("button", { className: "primary", testid: "rules-apply" });
    this.go.addEventListener("click", () => apply(changesOf(this.fields, this.rules, this.typed).changes));
    this.drop = make("button", { text: "Undo", testid: "rules-undo" });
    this.drop.addEventListener("click", () => {
      this.typed.clear();
      this.show();
    });
    this.list = make("div", { className: "gamekit-rules" });
    const bar = make("div", { className: "gamekit-row" }, this.search, this.go, this.drop);
    this.element = make("details", {}, this.summary, bar, this.list);
  }

  /** @param {Field[]} fields @param {Record<string, number>} rules */
  update(fields, rules) {
    this.rules = rules;
    if (fields.length !== this.fields.length) {
      this.fields = fields;
      this.rows.clear();
      this.list.replaceChildren(...fields.map((field) => this.row(field)));
    }
    this.show();
  }

  /** @param {Field} field */
  row(field) {
    const range = `${field.low.toLocaleString("en")} to ${field.high.toLocaleString("en")} ${field.unit}`;
    const input = make("input", { testid: `rule-${field.name}`, label: `${field.name}: ${range}. ${field.sentence}` });
    Object.assign(input, { type: "number", min: String(field.low), max: String(field.high), step: "1" });
    input.disabled = field.at_start;
    input.addEventListener("input", () => {
      this.typed.set(field.name, input.value);
      this.show();
    });
    const note = make("div", { className: "note" });
    const start = field.at_start ? " Counts only when a game is made." : "";
    const about = `${field.sentence}${start} Default ${field.default.toLocaleString("en")}.`;
    const row = make(
      "div",
      { className: "rule" },
      make("code", { text: field.name }),
      input,
      make("span", { className: "quiet", text: range }),
      make("div", { className: "quiet about", text: about }),
      note,
    );
    this.rows.set(field.name, { row, input, note, text: `${field.name} ${field.sentence} ${field.unit}`.toLowerCase() });
    return row;
  }

  show() {
    for (const field of this.fields) {
      const held = this.rows.get(field.name);
      const typed = this.typed.get(field.name);
      if (!held) continue;
      const value = typed ?? String(this.rules[field.name] ?? field.default);
      if (held.input.value !== value && document.activeElement !== held.input) held.input.value = value;
      const changed = typed !== undefined && Number(typed) !== this.rules[field.name];
      held.row.classList.toggle("changed", changed);
      say(held.note, typed === undefined ? "" : problemOf(field, typed));
    }
    const { changes, fine } = changesOf(this.fields, this.rules, this.typed);
    const count = Object.keys(changes).length;
    this.go.disabled = !fine || count === 0;
    say(this.go, count === 1 ? "Apply 1 change" : `Apply ${count || "no"} changes`);
    this.drop.hidden = this.typed.size === 0;
  }

  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    for (const { row, text } of this.rows.values()) row.hidden = !text.includes(wanted);
  }

  /** The server has answered. @param {string} problem in words; empty when the changes are in force */
  answered(problem) {
    if (!problem) this.typed.clear();
    this.show();
    if (!problem) return;
    for (const [name, { note }] of this.rows) if (this.typed.has(name) && problem.includes(name)) say(note, problem);
  }
}
