/** Small steps with the page's elements. Text goes in as text only; nothing here takes markup. */

/** Where elements are looked for: one of several widgets on a page, or the page when it is null. @type {ParentNode | null} */
let ground = null;

/** Look for elements within this one from now on, where others have the same ids. @param {ParentNode} element */
export function lookIn(element) {
  ground = element;
}

/**
 * The element with an id, which the page has for sure.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind its class
 * @returns {T}
 */
export function byId(id, kind) {
  const element = (ground ?? document).querySelector(`#${id}`);
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
