/**
 * Tells the kernel when a view of a widget comes into sight and goes out of it, so that nothing is sent to nobody.
 */

/**
 * Watch one view.
 * @param {{send(content: object): void, comm_live?: boolean}} model the widget's model
 * @param {HTMLElement} element the view's element
 * @returns {() => void} call it when the view is taken away
 */
export function tellWhenShown(model, element) {
  const view = Math.random().toString(36).slice(2);
  let inSight = true;
  let told = false;
  const tell = () => {
    const shown = inSight && !document.hidden;
    if (shown === told) return;
    told = shown;
    // Where the kernel has ended nobody is left to tell, and sending would be an error.
    if (model.comm_live !== false) model.send({ kind: shown ? "shown" : "hidden", view });
  };
  const observer = new IntersectionObserver((entries) => {
    inSight = entries[entries.length - 1]?.isIntersecting ?? inSight;
    tell();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", tell);
  const leave = () => {
    inSight = false;
    tell();
  };
  window.addEventListener("pagehide", leave);
  tell();
  return () => {
    leave();
    observer.disconnect();
    document.removeEventListener("visibilitychange", tell);
    window.removeEventListener("pagehide", leave);
  };
}
