/** The version, as package.json has it: it sits above `src/` and above `dist/`. */
import { readFileSync } from "node:fs";

const PACKAGE = new URL("../../package.json", import.meta.url);

export const VERSION = (JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string }).version;
