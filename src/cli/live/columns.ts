/** The columns of `stat`, `edges` and `authz`. */
import type { AuthzRow } from "../../telemetry/authz.ts";
import type { Edge } from "../../telemetry/edges.ts";
import type { StatKind, StatRow } from "../../telemetry/stat.ts";
import { badCount, count, rate, seconds, share } from "./numbers.ts";
import type { Cell, Column } from "./table.ts";

const text = (value: string | undefined): Cell => ({ text: value === "" ? undefined : value });

/** `tools/everything` is the server `everything` in the namespace `tools`. */
const namespaceOf = (name: string): string | undefined =>
  name.includes("/") ? name.slice(0, name.indexOf("/")) : undefined;
const nameIn = (name: string): string => name.slice(name.indexOf("/") + 1);

type Golden = Pick<StatRow, "success" | "rps" | "p50" | "p95" | "p99">;
const SUCCESS: Column<Golden> = { title: "SUCCESS", cell: (row) => share(row.success), isNumber: true };
const RPS: Column<Golden> = { title: "RPS", cell: (row) => rate(row.rps), isNumber: true, missable: 1 };
const LATENCIES: readonly Column<Golden>[] = [
  { title: "P50", cell: (row) => seconds(row.p50), isNumber: true, missable: 3 },
  { title: "P95", cell: (row) => seconds(row.p95), isNumber: true, missable: 2 },
  { title: "P99", cell: (row) => seconds(row.p99), isNumber: true, missable: 3 },
];
const DENIED: Column<{ denied: number }> = { title: "DENIED", cell: (row) => badCount(row.denied), isNumber: true };
const AUDITED: Column<{ audited: number }> = { title: "AUDITED", cell: (row) => badCount(row.audited), isNumber: true };
const REQUESTS: Column<{ requests: number }> = {
  title: "REQUESTS",
  cell: (row) => count(row.requests),
  isNumber: true,
  isWide: true,
};
const TOOL_ERRORS: Column<StatRow> = {
  title: "TOOL_ERR",
  cell: (row) => badCount(row.tool_errors),
  isNumber: true,
  missable: 1,
};
const CLIENT_ERRORS: Column<StatRow> = {
  title: "CLIENT_ERR",
  cell: (row) => badCount(row.client_errors),
  isNumber: true,
  isWide: true,
};
const AVAILABILITY: Column<StatRow> = {
  title: "AVAILABILITY",
  cell: (row) => share(row.availability),
  isNumber: true,
  isWide: true,
};
const SERVER: Column<{ server: string }> = { title: "SERVER", cell: ({ server }) => text(server) };
const METHOD: Column<StatRow> = { title: "METHOD", cell: ({ method }) => text(method), missable: 4 };
const named = (title: string): Column<StatRow> => ({ title, cell: ({ name }) => text(name) });
const wide = <Row>(column: Column<Row>): Column<Row> => ({ ...column, isWide: true });

export const STAT_COLUMNS: { readonly [kind in StatKind]: readonly Column<StatRow>[] } = {
  servers: [
    { title: "NAMESPACE", cell: ({ server }) => text(namespaceOf(server)), missable: 2 },
    { title: "SERVER", cell: ({ server }) => text(nameIn(server)) },
    SUCCESS,
    RPS,
    ...LATENCIES,
    DENIED,
    { title: "INFLIGHT", cell: ({ inflight }) => count(inflight), isNumber: true, missable: 5 },
    { title: "STREAMS", cell: ({ streams }) => count(streams), isNumber: true, missable: 5 },
    AVAILABILITY,
    wide(TOOL_ERRORS),
    CLIENT_ERRORS,
    wide(AUDITED),
    REQUESTS,
  ],
  tools: [
    SERVER,
    METHOD,
    named("TOOL"),
    SUCCESS,
    TOOL_ERRORS,
    RPS,
    ...LATENCIES,
    CLIENT_ERRORS,
    wide(DENIED),
    AVAILABILITY,
    wide(AUDITED),
    REQUESTS,
  ],
  prompts: [
    SERVER,
    METHOD,
    named("PROMPT"),
    SUCCESS,
    RPS,
    ...LATENCIES,
    DENIED,
    CLIENT_ERRORS,
    wide(AUDITED),
    REQUESTS,
  ],
  resources: [SERVER, METHOD, SUCCESS, RPS, ...LATENCIES, DENIED, CLIENT_ERRORS, wide(AUDITED), REQUESTS],
};

export const EDGE_COLUMNS: readonly Column<Edge>[] = [
  { title: "CALLER", cell: (edge) => text(isServiceAccount(edge) ? nameIn(edge.caller) : edge.caller) },
  {
    title: "CALLER_NS",
    cell: (edge) => text(isServiceAccount(edge) ? namespaceOf(edge.caller) : undefined),
    missable: 3,
  },
  { title: "SERVER", cell: ({ server }) => text(nameIn(server)) },
  { title: "SERVER_NS", cell: ({ server }) => text(namespaceOf(server)), missable: 3 },
  { title: "TOOLS", cell: ({ tools }) => count(tools), isNumber: true, missable: 2 },
  { title: "RPS", cell: ({ rps }) => rate(rps), isNumber: true, missable: 1 },
  { title: "SUCCESS", cell: ({ success }) => share(success), isNumber: true },
  { ...DENIED, missable: 2 },
  { title: "SECURED", cell: ({ identity }) => secured(identity) },
  REQUESTS,
];

/** In one's own trust domain: any other identity is shown as it is. */
const isServiceAccount = ({ caller }: Edge): boolean => /^[^/:]+\/[^/:]+$/.test(caller);

function secured(identity: string): Cell {
  const [word = "", why] = identity.split(":", 2);
  if (word === "anonymous") return { text: why === undefined ? "no" : `no: ${why}`, colour: "yellow" };
  return { text: word, colour: "green" };
}

export const AUTHZ_COLUMNS: readonly Column<AuthzRow>[] = [
  { ...SERVER, missable: 4 },
  { title: "TOOL", cell: ({ name, method }) => text(name ?? method) },
  { title: "POLICY", cell: ({ policy }) => text(policy), missable: 2 },
  { title: "RULE", cell: ({ rule }) => text(rule) },
  { title: "MODE", cell: ({ mode }) => text(mode), missable: 5 },
  { title: "ALLOWED", cell: ({ allowed }) => count(allowed), isNumber: true },
  DENIED,
  { ...AUDITED, missable: 1 },
  { ...SUCCESS, missable: 6 },
  { ...RPS, missable: 6 },
  ...LATENCIES.map((column) => ({ ...column, missable: 7 })),
];
