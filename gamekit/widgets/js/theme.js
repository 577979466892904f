/** Light or dark: what the notebook around a widget is, told to the widget's element as `data-theme`. */

/** @returns {"light" | "dark"} */
export function themeNow() {
  const { body } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "true" ? "light" : "dark";
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("light") ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** Keep an element's theme that of the notebook. @param {HTMLElement} element @returns {() => void} ends it */
export function followTheme(element) {
  const tell = () => {
    element.dataset.theme = themeNow();
  };
  const observer = new MutationObserver(tell);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  tell();
  return () => observer.disconnect();
}
