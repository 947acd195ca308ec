/** Who takes part in the matrix: the programs on each SDK, and which versions they are of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { PYTHON } from "./python.ts";
import type { Era } from "./scenario.ts";

type Peer = {
  readonly id: string;
  readonly title: string;
  /** Of the SDK, as it is pinned. */
  readonly version: string;
  /** Undefined when it cannot run here. */
  readonly command: readonly string[] | undefined;
};

export type ServerPeer = Peer & { readonly eras: readonly Era[] };

export type ClientPeer = Peer & {
  /** `auto` asks for 2026-07-28 first, and falls back to `initialize`; `legacy` begins with that. */
  readonly mode: "legacy" | "auto";
  /** It does not tell the code of a JSON-RPC error. */
  readonly hidesCodes?: true;
  /** It calls no tool that it does not find in the list. */
  readonly looksFirst?: true;
};

const here = (file: string): string => join(import.meta.dirname, file);

const node = (file: string, ...args: readonly string[]): readonly string[] => [process.execPath, here(file), ...args];

function python(sdk: "v1" | "v2", file: string, ...args: readonly string[]): readonly string[] | undefined {
  const interpreter = PYTHON[sdk];
  return interpreter === undefined ? undefined : [interpreter, here(file), ...args];
}

const { devDependencies } = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
const ofNpm = (name: string): string => devDependencies[`@modelcontextprotocol/${name}`] ?? "";
const ofPip = (sdk: "v1" | "v2"): string =>
  /^mcp==(.*)$/m.exec(readFileSync(here(`requirements-${sdk}.txt`), "utf8"))?.[1] ?? "";

const LEGACY: readonly Era[] = ["legacy"];
const BOTH: readonly Era[] = ["legacy", "modern"];

export const SERVERS: readonly ServerPeer[] = [
  { id: "ts-v1", title: "TypeScript v1", version: ofNpm("sdk"), eras: LEGACY, command: node("server-v1.ts") },
  { id: "ts-v2", title: "TypeScript v2", version: ofNpm("server"), eras: BOTH, command: node("server-v2.ts") },
  { id: "py-v1", title: "Python v1", version: ofPip("v1"), eras: LEGACY, command: python("v1", "server_v1.py") },
  { id: "py-v2", title: "Python v2", version: ofPip("v2"), eras: BOTH, command: python("v2", "server_v2.py") },
];

const TS_V1 = { title: "TypeScript v1", version: ofNpm("sdk") };
const TS_V2 = { title: "TypeScript v2", version: ofNpm("client") };
const PY_V1 = { title: "Python v1", version: ofPip("v1") };
const PY_V2 = { title: "Python v2", version: ofPip("v2") };
const INSPECTOR = {
  title: "Inspector",
  version: ofNpm("inspector"),
  hidesCodes: true,
  looksFirst: true,
  setsLevel: true,
} as const;

export const CLIENTS: readonly ClientPeer[] = [
  { id: "ts-v1", ...TS_V1, mode: "legacy", command: node("client-v1.ts") },
  { id: "ts-v2-legacy", ...TS_V2, mode: "legacy", command: node("client-v2.ts", "legacy") },
  { id: "ts-v2-auto", ...TS_V2, mode: "auto", command: node("client-v2.ts", "auto") },
  { id: "py-v1", ...PY_V1, mode: "legacy", command: python("v1", "client_v1.py") },
  { id: "py-v2-legacy", ...PY_V2, mode: "legacy", command: python("v2", "client_v2.py", "legacy") },
  { id: "py-v2-auto", ...PY_V2, mode: "auto", command: python("v2", "client_v2.py", "auto") },
  { id: "inspector", ...INSPECTOR, mode: "auto", command: node("client-inspector.ts") },
];

/** The era that these two have to agree on. */
export const eraOf = ({ mode }: ClientPeer, { eras }: ServerPeer): Era =>
  mode === "auto" && eras.includes("modern") ? "modern" : "legacy";
