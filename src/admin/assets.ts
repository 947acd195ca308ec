/**
 * The files of the page, read once at the start: what is asked for is looked up among them, so that no path leads out of
 * their folder. The page may load nothing from elsewhere, and may not be shown inside another one.
 */
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Answer, Page } from "./answer.ts";

export const PAGE_FOLDER = fileURLToPath(new URL("./page/", import.meta.url));

/** The chart library of the page: as its package has it, under a name that the page can import. */
const LIBRARY = [
  ["/assets/uplot.js", "uplot/dist/uPlot.esm.js"],
  ["/assets/uplot.css", "uplot/dist/uPlot.min.css"],
] as const;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "referrer-policy": "no-referrer",
};

/** By path: `/` is `index.html`, all others are under `/assets/`. Files of no known type are left out, and nothing is where there is no folder. */
export async function readAssets(folder: string): Promise<ReadonlyMap<string, Page>> {
  const pages = new Map<string, Page>();
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length).replaceAll("\\", "/").replace(/^\//, "");
    pages.set(name === "index.html" ? "/" : `/assets/${name}`, await readAsset(path, type));
  }
  if (pages.size === 0) return pages;
  for (const [name, specifier] of LIBRARY)
    pages.set(name, await readAsset(fileURLToPath(import.meta.resolve(specifier)), TYPES[extname(name)] ?? ""));
  return pages;
}

async function readAsset(path: string, type: string): Promise<Page> {
  const answer: Answer = { status: 200, type, body: await readFile(path), headers: HEADERS };
  return { about: "the page", answer: () => answer };
}
