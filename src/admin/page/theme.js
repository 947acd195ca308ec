// @ts-check
/** Light, dark, or as the system has it; remembered by the browser. */
import { h, setText } from "./h.js";

const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
/** @typedef {typeof THEMES[number]} Theme */
const KEY = "toolgate-theme";

/** @param {() => void} onChange colours are other ones now */
export function createThemeButton(onChange) {
  let theme = remembered();
  const button = h("button", { type: "button", class: "quiet", onclick: () => next() });
  const apply = () => {
    document.documentElement.dataset["theme"] = theme;
    setText(button, `Theme: ${theme}`);
  };
  const next = () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    remember(theme);
    apply();
    onChange();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  apply();
  return button;
}

/** Storage may be switched off. @returns {Theme} */
function remembered() {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

/** @param {Theme} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it is for this visit alone.
  }
}
