/** The admin server serves the package `uplot` under this name. */
export { default } from "uplot";
