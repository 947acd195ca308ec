/**
 * Documents to a PolicySet. Whatever is wrong, the result can be used: a document with problems denies what it is about
 * (rule `invalid-policy`), since dropping it could drop a Deny rule. The caller decides what stands in for it.
 */
import { SERVER_REQUESTS } from "../mcp/methods.ts";
import { ANSWERS } from "../mcp/subject.ts";
import type { Problem } from "../result.ts";
import { compileCaller } from "./caller.ts";
import { documentKey, documentName, targetsOf } from "./document.ts";
import type {
  AccessPolicyDocument,
  DocumentProblem,
  InvalidDocument,
  PolicyDocument,
  RuleDocument,
  ServerDocument,
  ServerOptions,
} from "./document.ts";
import { parsePattern } from "./pattern.ts";
import { emptyRules } from "./policy-set.ts";
import type { PolicySet, RuleInForce, Server } from "./policy-set.ts";
import { CallerIndex } from "./rule-index.ts";
import { addRoutes, createRoutes, findEndpoint, mayBeServer } from "./server-match.ts";
import type { Routes } from "./server-match.ts";
import { deniedBy, methodsOf, patternsOf } from "./to-patterns.ts";
import { findWarnings } from "./warnings.ts";

export type Compiled = {
  readonly policies: PolicySet;
  readonly problems: readonly DocumentProblem[];
  /** What can be used but cannot be meant: a rule that never matches, a server that no policy names. */
  readonly warnings: readonly DocumentProblem[];
};

/** `trustDomain`: where the SPIFFE IDs of `serviceAccount` live. */
export type CompileOptions = { readonly trustDomain: string };

export function compile(
  documents: readonly PolicyDocument[],
  invalid: readonly InvalidDocument[],
  options: CompileOptions,
): Compiled {
  const inOrder = documents.toSorted((one, other) => (documentKey(one) < documentKey(other) ? -1 : 1));
  const serverDocuments = inOrder.filter((document) => document.kind === "MCPServer");
  const policyDocuments = inOrder.filter((document) => document.kind === "MCPAccessPolicy");
  const problems = findDuplicates(inOrder);
  const routes = createRoutes();
  const servers = compileServers(serverDocuments, routes, problems);
  const rules = policyDocuments.flatMap((document) => compilePolicy(document, servers, problems, options));
  markInvalid(servers, routes, invalid);
  const all = [...servers.values()];
  const hidesServers = invalid.some(
    ({ targets }) => targets === "all" || targets.some((target) => !servers.has(target)),
  );
  const policies: PolicySet = Object.freeze({
    servers: all,
    rules,
    counts: {
      servers: all.length,
      policies: policyDocuments.length,
      rules: policyDocuments.reduce((sum, { spec }) => sum + spec.rules.length, 0),
      invalid: invalid.length + new Set(problems.map((problem) => problem.document)).size,
    },
    match: (destination) => findEndpoint(routes, destination),
    mayBeServer: (destination) => hidesServers || mayBeServer(routes, destination),
    isNamed: (server, kind, name) =>
      Object.values(servers.get(server)?.rules[kind] ?? {}).some((set) => set.names(name)),
  } satisfies PolicySet);
  const warnings = findWarnings(serverDocuments, policyDocuments, invalid, servers, options.trustDomain);
  return { policies, problems, warnings };
}

function compileServers(
  documents: readonly ServerDocument[],
  routes: Routes,
  problems: DocumentProblem[],
): Map<string, ServerDraft> {
  const servers = new Map<string, ServerDraft>();
  for (const document of documents) {
    const server = draftServer(documentName(document.metadata), document.spec);
    servers.set(server.name, servers.get(server.name) ?? server);
    for (const { path, owner } of addRoutes(routes, document.spec.match, server)) {
      // Which of the two is meant cannot be known: neither may be used.
      server.invalid = true;
      problems.push({ document: documentKey(document), path, message: unique(owner.name) });
      const other = servers.get(owner.name);
      if (other === undefined || other === server) continue;
      other.invalid = true;
      problems.push({ document: `MCPServer ${owner.name}`, path: "spec.match", message: unique(server.name) });
    }
  }
  return servers;
}

const unique = (other: string): string => `must be unique, but MCPServer ${other} matches the same`;

function compilePolicy(
  document: AccessPolicyDocument,
  servers: ReadonlyMap<string, ServerDraft>,
  problems: DocumentProblem[],
  options: CompileOptions,
): readonly RuleInForce[] {
  const found = checkRules(document);
  problems.push(...found.map((problem) => ({ ...problem, document: documentKey(document) })));
  const targets = targetsOf(document).flatMap((target) => servers.get(target) ?? []);
  for (const server of targets) {
    if (found.length > 0) server.invalid = true;
    else addPolicy(server, document, options);
  }
  if (found.length > 0) return [];
  const { mode = "Enforce", rules } = document.spec;
  const about = { policy: documentName(document.metadata), mode, servers: targets.map(({ name }) => name) };
  return rules.map(({ name, action }) => ({ ...about, rule: name, action }));
}

function markInvalid(
  servers: ReadonlyMap<string, ServerDraft>,
  routes: Routes,
  invalid: readonly InvalidDocument[],
): void {
  for (const { name, targets, matches } of invalid) {
    // What would go to this server must not go to a broader one. A match that another server has is that one's.
    addRoutes(routes, matches, { ...draftServer(name, {}), invalid: true });
    for (const server of servers.values()) {
      if (targets === "all" || targets.includes(server.name)) server.invalid = true;
    }
  }
}

type ServerDraft = { -readonly [key in keyof Server]: Server[key] } & { policies: number };

const draftServer = (name: string, { answers, batches, pins = [] }: ServerOptions): ServerDraft => ({
  name,
  answers: answers ?? "read",
  batches: batches ?? "refuse",
  pins: new Map(pins.map(({ tool, sha256 }) => [tool, sha256])),
  rules: { tool: emptyRules(), prompt: emptyRules(), resource: emptyRules(), method: emptyRules() },
  base: new CallerIndex(),
  enforced: true,
  invalid: false,
  wantsUser: false,
  policies: 0,
});

/** The documents are in order. */
function findDuplicates(documents: readonly PolicyDocument[]): DocumentProblem[] {
  const keys = documents.map(documentKey);
  const twice = keys.filter((key, i) => keys[i - 1] === key);
  return twice.map((document) => ({ document, path: "metadata.name", message: `${document} is written twice` }));
}

function checkRules(document: AccessPolicyDocument): Problem[] {
  const problems: Problem[] = [];
  const names = document.spec.rules.map((rule) => rule.name);
  for (const [i, rule] of document.spec.rules.entries()) {
    if (names.indexOf(rule.name) !== i) {
      problems.push({
        path: `spec.rules[${i}].name`,
        message: `must be unique in its policy, but ${JSON.stringify(rule.name)} is there already`,
      });
    }
    for (const [j, to] of rule.to.entries()) {
      for (const [k, method] of (to.methods ?? []).entries()) {
        if (methodsOf(method).length > 0) continue;
        const message = `must be a method of MCP that this version knows, but is ${JSON.stringify(method)}`;
        problems.push({ path: `spec.rules[${i}].to[${j}].methods[${k}]`, message });
      }
    }
  }
  return problems;
}

function addPolicy(server: ServerDraft, document: AccessPolicyDocument, options: CompileOptions): void {
  const mode = document.spec.mode ?? "Enforce";
  // The first policy says whether default deny refuses; from then on one in Enforce mode is enough.
  server.enforced = server.policies === 0 ? mode === "Enforce" : server.enforced || mode === "Enforce";
  server.policies += 1;
  for (const rule of document.spec.rules) addRule(server, document, rule, options);
}

function addRule(
  server: ServerDraft,
  document: AccessPolicyDocument,
  rule: RuleDocument,
  options: CompileOptions,
): void {
  const ref = { policy: documentName(document.metadata), rule: rule.name };
  const set = rule.action === "Allow" ? "allows" : document.spec.mode === "Audit" ? "auditedDenies" : "denies";
  for (const from of rule.from) {
    const caller = compileCaller(from, options.trustDomain);
    if (from.jwt !== undefined) server.wantsUser = true;
    if (rule.action === "Allow") server.base.add({ rule: ref, caller, pattern: parsePattern("*") });
    for (const [kind, pattern] of rule.to.flatMap(rule.action === "Deny" ? deniedBy : patternsOf)) {
      server.rules[kind][set].add({ rule: ref, caller, pattern });
    }
    if (coversAnswers(rule)) server.rules.method[set].add({ rule: ref, caller, pattern: parsePattern(ANSWERS.name) });
  }
}

/** An answer does not say to which request: one that is allowed lets answers through, only all denied stop them. */
function coversAnswers(rule: RuleDocument): boolean {
  const about = new Set(
    rule.to
      .flatMap((to) => to.methods ?? [])
      .flatMap(methodsOf)
      .map((method) => method.text),
  );
  const isAbout = (method: string): boolean => about.has(method);
  return rule.action === "Allow" ? SERVER_REQUESTS.some(isAbout) : SERVER_REQUESTS.every(isAbout);
}
