/**
 * Leaves the last picture of each widget in the notebook's own metadata, when the notebook is saved.
 *
 * JupyterLab and Notebook prefer a widget's view over the picture beside it, and show an error where its model is gone.
 * So each of our outputs gets a model of its id there: an ordinary HTML widget with the output's own picture. It is used
 * where no kernel has the real one, and only there. Front ends without such a document (VS Code, exports) are left alone.
 */

const STATE = "application/vnd.jupyter.widget-state+json";
const VIEW = "application/vnd.jupyter.widget-view+json";
const SEEN = Symbol.for("gamekit.pictures");
const SENTENCE = "As it was when the cell ran; run it again for the live one.";

/** @param {any} manager the widget manager of a notebook */
export function keepPictures(manager) {
  const context = manager?.context;
  if (!context?.saveState?.connect || !context.model?.getMetadata || context[SEEN]) return;
  // Each widget's module is a copy of its own, so the document itself knows that it is looked after.
  context[SEEN] = true;
  context.saveState.connect((/** @type {unknown} */ _, /** @type {string} */ state) => {
    if (state === "started") keep(context.model);
  });
}

/** @param {any} notebook the notebook's document */
function keep(notebook) {
  const pictures = picturesOf(notebook);
  const widgets = notebook.getMetadata("widgets") ?? {};
  const before = widgets[STATE] ?? { version_major: 2, version_minor: 0, state: {} };
  // What others left there stays, the models that JupyterLab saves when it is told to as well.
  const others = Object.entries(before.state).filter(([_, one]) => !(/** @type {any} */ (one).state?.gamekit_picture));
  const state = { ...Object.fromEntries(pictures), ...Object.fromEntries(others) };
  if (JSON.stringify(state) === JSON.stringify(before.state)) return;
  notebook.setMetadata("widgets", { ...widgets, [STATE]: { ...before, state } });
}

/** @param {any} notebook @returns {[string, object][]} */
function picturesOf(notebook) {
  /** @type {[string, object][]} */
  const found = [];
  for (const cell of notebook.cells) {
    for (let place = 0; place < (cell.outputs?.length ?? 0); place++) {
      const { data, metadata } = cell.outputs.get(place);
      const still = metadata?.gamekit?.still;
      if (still && data?.[VIEW]?.model_id && data[still]) found.push([data[VIEW].model_id, pictureModel(data[still])]);
    }
  }
  return found;
}

/** @param {string | string[]} still */
function pictureModel(still) {
  const html = Array.isArray(still) ? still.join("") : still;
  const value = `<div style="overflow-x:auto">${html}</div><small>${SENTENCE}</small>`;
  return {
    model_module: "@jupyter-widgets/controls",
    model_module_version: "2.0.0",
    model_name: "HTMLModel",
    state: { gamekit_picture: true, value },
  };
}
