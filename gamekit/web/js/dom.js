/** Small steps with the page's elements. Text goes in as text only; nothing here takes markup. */

/**
 * The element with an id, which the page has for sure.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind its class
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return element;
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{text?: string, className?: string, testid?: string, label?: string}} [looks] label: for screen readers
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, { text, className, testid, label } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  if (testid) element.dataset.testid = testid;
  if (label) element.setAttribute("aria-label", label);
  element.append(...children);
  return element;
}

/**
 * Set an element's text, touching the page only when it is another.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
