/** What compiles but cannot be meant. Each says which rule can never do anything, and why. */
import { DEFAULT_LIMITS } from "../limits.ts";
import { nameSubject, resourceSubject } from "../mcp/subject.ts";
import type { Subject, SubjectFault } from "../mcp/subject.ts";
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
import { allOf, isExact, matches, parsePattern } from "./pattern.ts";
import type { Server } from "./policy-set.ts";
import { DENY_APPLIES } from "./rule-index.ts";
import { GRANTED_BY_NAME, patternsOf } from "./to-patterns.ts";
import type { RuleRef } from "./decision.ts";
import type { Identity } from "../identity/identity.ts";

export function findWarnings(
  servers: readonly ServerDocument[],
  policies: readonly AccessPolicyDocument[],
  invalid: readonly InvalidDocument[],
  compiled: ReadonlyMap<string, Server>,
  trustDomain: string,
): DocumentProblem[] {
  const known = new Set(servers.map((server) => documentName(server.metadata)));
  const named = new Set([...policies.flatMap(targetsOf), ...invalid.flatMap(({ targets }) => targets)]);
  return [
    ...servers.flatMap((server) =>
      named.has(documentName(server.metadata)) || named.has("all") ? [] : [unnamed(server)],
    ),
    ...policies.flatMap((policy) => [...missingTargets(policy, known), ...deadRules(policy, compiled, trustDomain)]),
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

function deadRules(
  policy: AccessPolicyDocument,
  compiled: ReadonlyMap<string, Server>,
  trustDomain: string,
): DocumentProblem[] {
  const document = documentKey(policy);
  const targets = targetsOf(policy).map((target) => compiled.get(target));
  return policy.spec.rules.flatMap((rule, i) => {
    const path = `spec.rules[${i}]`;
    const found = [
      ...rule.from.flatMap((from, j) =>
        contradiction(from, trustDomain).map((message) => ({ path: `${path}.from[${j}]`, message })),
      ),
      ...rule.to.flatMap((to, j) =>
        [...unreachable(to), ...(rule.action === "Allow" ? grantless(to) : [])].map(({ at, message }) => ({
          path: `${path}.to[${j}].${at}`,
          message,
        })),
      ),
    ];
    const shadow = rule.action === "Allow" ? findShadow(rule, targets) : undefined;
    if (shadow !== undefined) {
      found.push({ path, message: `can never match: policy ${shadow.policy} denies all of it to everyone` });
    }
    return found.map((problem) => ({ document, ...problem }));
  });
}

function contradiction({ spiffe, serviceAccount, certificate }: FromEntry, trustDomain: string): string[] {
  if (certificate !== undefined && (spiffe ?? serviceAccount) !== undefined)
    return ["can never match: a certificate has its own name only where it has no SPIFFE ID"];
  if (spiffe === undefined || serviceAccount === undefined) return [];
  const isOne = matches(parsePattern(spiffe), serviceAccountId(serviceAccount, trustDomain));
  return isOne ? [] : ["can never match: spiffe and serviceAccount are two workloads"];
}

const fault = (subject: Result<Subject, SubjectFault>): string | undefined =>
  subject.ok ? undefined : subject.error.message;

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
    ...check(to.tools, "tools", (text) => fault(nameSubject("tool", text, DEFAULT_LIMITS))),
    ...check(to.prompts, "prompts", (text) => fault(nameSubject("prompt", text, DEFAULT_LIMITS))),
    ...check(to.resources, "resources", (text) => fault(resourceSubject(text, DEFAULT_LIMITS))),
  ];
}

/** Methods that come with a name, and that no rule grants as such. */
function grantless({ methods = [] }: ToEntry): { at: string; message: string }[] {
  return methods.flatMap((method, k) => {
    const kind = GRANTED_BY_NAME.get(method);
    const message = `grants nothing: ${method} is granted by ${kind}s, which names them`;
    return kind === undefined ? [] : [{ at: `methods[${k}]`, message }];
  });
}

const NOBODY: Identity = { workload: { absent: "no-certificate" }, user: { absent: "jwt-missing" } };

/**
 * The Deny rule that refuses all that `rule` allows, to everyone, on every server of its policy: what is denied to nobody
 * in particular is denied to all. Asked of the compiled rules, which find it without walking over all of them.
 */
function findShadow(rule: RuleDocument, targets: readonly (Server | undefined)[]): RuleRef | undefined {
  let shadow: RuleRef | undefined;
  for (const server of targets) {
    for (const [kind, pattern] of rule.to.flatMap(patternsOf)) {
      shadow = server?.rules[kind].denies.find(NOBODY, allOf(pattern), DENY_APPLIES)?.rule;
      if (shadow === undefined) return undefined;
    }
  }
  return shadow;
}
