/** The market widget: the player page's market panel. */

import { Annals } from "../../web/js/annals.js";
import { make } from "../../web/js/dom.js";
import { marketPanel } from "../../web/js/panel-market.js";
import { LiveView } from "./view.js";

/** How often prices are noted for the curves, in milliseconds. */
const SAMPLE_MS = 1000;

/** @param {{model: any, el: HTMLElement}} context */
async function render(context) {
  const view = await LiveView.open(context, "gamekit-market");
  const { frame } = view;
  const body = make("div", { className: "panel-body" });
  frame.element.append(make("section", { className: "info" }, body));
  const annals = new Annals();
  const page = {
    annals,
    get model() {
      return { view: view.now.view };
    },
    showStation: (/** @type {string} */ station) => view.set("station", station),
  };
  const panel = marketPanel(body, /** @type {any} */ (page));
  let sampledMs = -SAMPLE_MS;
  view.follow(({ clock }) => {
    const nowMs = performance.now();
    if (nowMs - sampledMs < SAMPLE_MS) return;
    sampledMs = nowMs;
    annals.sample(view.now.view, view.now.player, clock.tick);
    panel.update();
  });
  return () => frame.close();
}

export default { render };
