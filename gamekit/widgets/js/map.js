/** The map widget: feeds the shared renderer from the stream and sends orders back. */

import { addMap, showOn } from "./galaxy.js";
import { LiveView } from "./view.js";

/** @param {{model: any, el: HTMLElement}} context */
async function render(context) {
  const view = await LiveView.open(context, "gamekit-mapbox");
  const { model, frame } = view;
  const { map, box } = addMap(frame.element, {
    onOrder: (order) => view.command({ type: "move", ...order }),
    onSelect: (ship) => view.set("selected", ship ?? ""),
  });
  frame.atEnd(() => map.destroy());
  const resize = () => {
    box.style.height = `${model.get("height")}px`;
  };
  const select = () => {
    const ship = model.get("selected") || null;
    if (ship !== map.selected) map.select(ship);
  };
  resize();
  view.listen("change:height", resize);
  view.listen("change:selected", select);
  view.follow((message) => {
    showOn(map, message);
    select();
  });
  return () => frame.close();
}

export default { render };
