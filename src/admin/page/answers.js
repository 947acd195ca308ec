// @ts-check
/**
 * What the page asks the process that serves it, and in which shape the answers come. Each answer stands alone: one that
 * fails takes one panel with it, not the page. Only when nobody answers at all there is nothing to show.
 */

/** @typedef {{ server: string, method?: string, name?: string, requests: number, rps: number, answered: number, success: number | null, availability: number | null, tool_errors: number, client_errors: number, denied: number, audited: number, p50: number | null, p95: number | null, p99: number | null, inflight?: number, streams?: number }} StatRow */
/** @typedef {{ caller: string, identity: string, server: string, tools: number, tool?: string, requests: number, rps: number, answered: number, success: number | null, denied: number, errors: number }} EdgeRow */
/** @typedef {{ server: string, method?: string, name?: string, policy: string, rule: string, mode: string, allowed: number, denied: number, audited: number }} AuthzRow */
/** @typedef {{ server: string, method: string, name: string, requests: number[], errors: number[], denied: number[], p95: (number | null)[] }} Series */
/** @typedef {{ slotSeconds: number, slots: number[], series: Series[] }} History */
/** @typedef {{ time: string, server?: string, method: string, tool?: string, prompt?: string, resource?: string, caller: string, absent?: string, decision: string, mode: string, policy: string, rule: string, reason?: string, sentence?: string, outcome: string, [member: string]: unknown }} DecisionLine */
/** @typedef {{ server: string, inflight: number, streams: number }} Activity */
/** @typedef {{ policy: string, rule: string, action: string, mode: string, servers?: string[], allowed: number, denied: number, audited: number }} RuleRow */
/** @typedef {{ file?: string, line?: number, path?: string, message: string }} Problem */
/** @typedef {{ generation: number, lastSynced: string | null, servers: string[], counts: Readonly<Record<string, number>>, rules: RuleRow[], problems: Problem[], warnings: Problem[] }} Policies */
/** @typedef {{ version: string, startedAt: string, id: string, listen?: string }} Info */

/**
 * @template T
 * @typedef {{ readonly ok: true, readonly value: T } | { readonly ok: false, readonly error: string }} Answer
 */

/**
 * @typedef {object} Answers
 * @property {Answer<Info>} info
 * @property {Answer<Policies>} policies
 * @property {Answer<StatRow[]>} servers
 * @property {Answer<StatRow[]>} tools
 * @property {Answer<StatRow[]>} prompts
 * @property {Answer<StatRow[]>} resources
 * @property {Answer<EdgeRow[]>} edges
 * @property {Answer<EdgeRow[]>} toolEdges
 * @property {Answer<AuthzRow[]>} authz
 * @property {Answer<History>} history
 * @property {Answer<DecisionLine[]>} denials
 * @property {Answer<Activity[]>} streams
 */

const TIMEOUT_MS = 5_000;

/**
 * All answers of one moment. Rejects when nobody answers.
 * @param {number} windowSeconds
 * @returns {Promise<Answers>}
 */
export async function readAnswers(windowSeconds) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  /** @param {string} path @param {string} [member] @returns {Promise<Answer<any>>} */
  const ask = (path, member) => readAnswer(path, member, signal);
  /** @param {string} path */
  const rows = (path) => ask(`${path}${path.includes("?") ? "&" : "?"}window=${windowSeconds}`, "rows");
  const [info, policies, servers, tools, prompts, resources, edges, toolEdges, authz, history, denials, streams] =
    await Promise.all([
      ask("/api/info"),
      ask("/api/policies"),
      rows("/api/stat/servers"),
      rows("/api/stat/tools"),
      rows("/api/stat/prompts"),
      rows("/api/stat/resources"),
      rows("/api/edges"),
      rows("/api/edges?by=tool"),
      rows("/api/authz"),
      ask("/api/history?window=300"),
      ask("/api/denials", "denials"),
      ask("/api/streams", "servers"),
    ]);
  return { info, policies, servers, tools, prompts, resources, edges, toolEdges, authz, history, denials, streams };
}

/**
 * @param {string} path
 * @param {string | undefined} member what of the answer is wanted; default: all of it
 * @param {AbortSignal} signal
 * @returns {Promise<Answer<unknown>>}
 */
async function readAnswer(path, member, signal) {
  const response = await fetch(path, { signal, headers: { accept: "application/json" } });
  const text = await response.text();
  if (!response.ok) return { ok: false, error: `${path} answered ${response.status}: ${reasonIn(text)}` };
  try {
    const value = JSON.parse(text);
    const wanted = member === undefined ? value : value[member];
    return wanted === undefined
      ? { ok: false, error: `${path} answered without "${member}"` }
      : { ok: true, value: wanted };
  } catch {
    return { ok: false, error: `${path} answered what is not JSON` };
  }
}

/** @param {string} text */
function reasonIn(text) {
  try {
    return String(JSON.parse(text).error ?? text);
  } catch {
    return text.trim().slice(0, 200);
  }
}

/**
 * @template T
 * @param {Answer<T>} answer
 * @param {T} fallback
 * @returns {T}
 */
export const valueOr = (answer, fallback) => (answer.ok ? answer.value : fallback);
