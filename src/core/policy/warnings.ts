/** What compiles but cannot be meant. Each says which rule can never do anything, and why. */
import { nameSubject, resourceSubject } from "../mcp/subject.ts";
import type { Subject } from "../mcp/subject.ts";
import type { Result } from "../result.ts";
import { serviceAccountId } from "./caller.ts";
import { documentKey, documentName, targetsOf } from "./document.ts";
import type {
  DocumentProblem,
  InvalidDocument,
  AccessPolicyDocument,
  FromEntry,
  RuleDocument,
  ServerDocument,
  ToEntry,
} from "./document.ts";
import { covers, isExact, matches, parsePattern } from "./pattern.ts";

export function findWarnings(
  servers: readonly ServerDocument[],
  policies: readonly AccessPolicyDocument[],
  invalid: readonly InvalidDocument[],
  trustDomain: string,
): DocumentProblem[] {
  const known = new Set(servers.map((server) => documentName(server.metadata)));
  const named = new Set([...policies.flatMap(targetsOf), ...invalid.flatMap(({ targets }) => targets)]);
  const denials = policies.flatMap(denialsToEveryone);
  return [
    ...servers.flatMap((server) =>
      named.has(documentName(server.metadata)) || named.has("all") ? [] : [unnamed(server)],
    ),
    ...policies.flatMap((policy) => [...missingTargets(policy, known), ...deadRules(policy, denials, trustDomain)]),
  ];
}

const unnamed = (server: ServerDocument): DocumentProblem => ({
  document: documentKey(server),
  path: "metadata.name",
  message: "no policy names this server: every request to it is refused",
});

function missingTargets(policy: AccessPolicyDocument, known: ReadonlySet<string>): DocumentProblem[] {
  return targetsOf(policy).flatMap((target, i) => {
    if (known.has(target)) return [];
    const message = `there is no MCPServer ${target}: these rules can never match`;
    return [{ document: documentKey(policy), path: `spec.targetRefs[${i}]`, message }];
  });
}

function deadRules(policy: AccessPolicyDocument, denials: readonly Denial[], trustDomain: string): DocumentProblem[] {
  const document = documentKey(policy);
  return policy.spec.rules.flatMap((rule, i) => {
    const path = `spec.rules[${i}]`;
    const found = [
      ...rule.from.flatMap((from, j) =>
        contradiction(from, trustDomain).map((message) => ({ path: `${path}.from[${j}]`, message })),
      ),
      ...rule.to.flatMap((to, j) =>
        unreachable(to).map(({ at, message }) => ({ path: `${path}.to[${j}].${at}`, message })),
      ),
    ];
    const shadow = rule.action === "Allow" ? denials.find((denial) => shadows(denial, policy, rule)) : undefined;
    if (shadow !== undefined) {
      found.push({ path, message: `can never match: policy ${shadow.policy} denies all of it to everyone` });
    }
    return found.map((problem) => ({ document, ...problem }));
  });
}

function contradiction({ spiffe, serviceAccount }: FromEntry, trustDomain: string): string[] {
  if (spiffe === undefined || serviceAccount === undefined) return [];
  const isOne = matches(parsePattern(spiffe), serviceAccountId(serviceAccount, trustDomain));
  return isOne ? [] : ["can never match: spiffe and serviceAccount are two workloads"];
}

const fault = (subject: Result<Subject, string>): string | undefined => (subject.ok ? undefined : subject.error);

const check = (list: readonly string[] | undefined, at: string, why: (name: string) => string | undefined) =>
  (list ?? []).flatMap((text, k) => {
    const reason = isExact(parsePattern(text)) ? why(text) : undefined;
    return reason === undefined
      ? []
      : [{ at: `${at}[${k}]`, message: `can never match: such a name is refused, since it ${reason}` }];
  });

/** Exact names that are refused as malformed before any rule is asked. */
function unreachable(to: ToEntry): { at: string; message: string }[] {
  return [
    ...check(to.tools, "tools", (text) => fault(nameSubject("tool", text))),
    ...check(to.prompts, "prompts", (text) => fault(nameSubject("prompt", text))),
    ...check(to.resources, "resources", (text) => fault(resourceSubject(text))),
  ];
}

/** A Deny rule that refuses and is for everyone. */
type Denial = { readonly policy: string; readonly targets: readonly string[]; readonly rule: RuleDocument };

const isEveryone = (from: FromEntry): boolean => from.anyone === true && Object.keys(from).length === 1;

function denialsToEveryone(policy: AccessPolicyDocument): Denial[] {
  if ((policy.spec.mode ?? "Enforce") !== "Enforce") return [];
  return policy.spec.rules
    .filter((rule) => rule.action === "Deny" && rule.from.some(isEveryone))
    .map((rule) => ({ policy: documentName(policy.metadata), targets: targetsOf(policy), rule }));
}

/** Whether it covers all that `rule` allows, on every server of its policy. */
function shadows(denial: Denial, policy: AccessPolicyDocument, rule: RuleDocument): boolean {
  return (
    targetsOf(policy).every((target) => denial.targets.includes(target)) &&
    rule.to.every((to) => KINDS.every((kind) => (to[kind] ?? []).every((text) => isCovered(denial.rule, kind, text))))
  );
}

const KINDS = ["tools", "prompts", "resources", "methods"] as const;

const isCovered = (deny: RuleDocument, kind: (typeof KINDS)[number], text: string): boolean =>
  deny.to.some((to) => (to[kind] ?? []).some((pattern) => covers(parsePattern(pattern), parsePattern(text))));
