/**
 * What has happened since the page was opened, in words, newest first.
 *
 * @import {PlayPage} from "./play.js"
 */

import { make } from "./dom.js";
import { formatTime } from "./model.js";

/** @param {HTMLElement} body @param {PlayPage} page */
export function logPanel(body, page) {
  const only = make("input");
  only.type = "checkbox";
  const choice = make("label", { className: "toggle" }, only, "Only what went wrong");
  const list = make("ol", { className: "log", testid: "log" });
  const none = make("p", { className: "about", text: "Nothing yet." });
  body.append(choice, none, list);
  let shown = "";
  const update = () => {
    const rows = page.annals.log.filter(({ kind }) => !only.checked || kind === "bad");
    const last = rows.at(-1);
    const saying = `${only.checked} ${rows.length} ${last?.tick} ${last?.text} ${rows[0]?.text}`;
    if (saying === shown) return;
    shown = saying;
    none.hidden = rows.length > 0;
    const items = [...rows].reverse().map(({ tick, text, kind }) => {
      const sign = kind === "bad" ? "! " : "";
      const item = make(
        "li",
        {},
        make("time", { text: formatTime(tick, page.tickHz) }),
        make("bdi", { text: sign + text }),
      );
      item.dataset.kind = kind;
      return item;
    });
    list.replaceChildren(...items);
  };
  only.addEventListener("change", update);
  return { update };
}
