/**
 * What every widget's view has: an element in the page's look and the notebook's theme, a line for what must be said (the
 * server is away, the kernel has restarted, an order was refused), and the report of whether it is in sight.
 */

import { make, say } from "../../web/js/dom.js";
import { keepPictures } from "./kept.js";
import { tellWhenShown } from "./shown.js";
import { followTheme } from "./theme.js";

const OFFLINE = "Not connected: orders wait and leave in order when the server is back.";
const ENDED = "This connection has ended; what is shown is what was seen last.";
export const NO_KERNEL = "The kernel has restarted or ended; what is shown is what was seen last. Run the cell again.";
const REFUSED_MS = 6000;

/** @import {StreamModel} from "./mirror.js" */

export class Frame {
  /**
   * @param {HTMLElement} parent
   * @param {string} className
   * @param {StreamModel} watched the model that is told when the view is in sight, and that ends with the kernel
   */
  constructor(parent, className, watched) {
    this.watched = watched;
    this.element = make("div", { className: `gamekit ${className}` });
    // The widgets have keys of their own; the notebook's, such as "0" twice to restart the kernel, must not hear them.
    this.element.dataset.lmSuppressShortcuts = "true";
    this.line = make("div", { className: "gamekit-line" });
    this.line.setAttribute("role", "status");
    this.line.hidden = true;
    this.element.append(this.line);
    parent.append(this.element);
    this.lasting = "";
    this.timer = 0;
    keepPictures(watched.widget_manager);
    this.closers = [followTheme(this.element), tellWhenShown(watched, this.element)];
    watched.on("comm_live_update", () => this.show());
    watched.on("comm:close", () => this.show());
  }

  /** The state of the connection, as a message of the stream tells it. @param {{connected?: boolean, ended?: boolean}} message */
  state({ connected, ended }) {
    this.lasting = ended ? ENDED : connected === false ? OFFLINE : "";
    if (!this.timer) this.show();
  }

  /** Say something for a moment. @param {string} text */
  refused(text) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.show();
    }, REFUSED_MS);
    this.put(text);
  }

  show() {
    this.put(this.watched.comm_live === false ? NO_KERNEL : this.lasting);
  }

  /** @param {string} text */
  put(text) {
    say(this.line, text);
    this.line.hidden = !text;
  }

  /** Have something done when the view is taken away. @param {() => void} closer */
  atEnd(closer) {
    this.closers.push(closer);
  }

  close() {
    clearTimeout(this.timer);
    for (const closer of this.closers.splice(0)) closer();
    this.element.remove();
  }
}
