/** What compiles but cannot be meant. Each says which rule can never do anything, and why. */
import { nameSubject, resourceSubject } from "../mcp/subject.ts";
import type { Subject } from "../mcp/subject.ts";
import type { Result } from "../result.ts";
import { documentKey, documentName, targetsOf } from "./document.ts";
import type {
  DocumentProblem,
  AccessPolicyDocument,
  FromEntry,
  RuleDocument,
  ServerDocument,
  ToEntry,
} from "./document.ts";
import { covers, isExact, parsePattern } from "./pattern.ts";

export function findWarnings(
  servers: readonly ServerDocument[],
  policies: readonly AccessPolicyDocument[],
): DocumentProblem[] {
  return [
    ...servers.flatMap((server) => unnamed(server, policies)),
    ...policies.flatMap((policy) => [...missingTargets(policy, servers), ...deadRules(policy, policies)]),
  ];
}

function unnamed(server: ServerDocument, policies: readonly AccessPolicyDocument[]): DocumentProblem[] {
  const name = documentName(server.metadata);
  if (policies.some((policy) => targetsOf(policy).includes(name))) return [];
  return [
    {
      document: documentKey(server),
      path: "metadata.name",
      message: "no policy names this server: every request to it is refused",
    },
  ];
}

function missingTargets(policy: AccessPolicyDocument, servers: readonly ServerDocument[]): DocumentProblem[] {
  const known = servers.map((server) => documentName(server.metadata));
  return targetsOf(policy).flatMap((target, i) =>
    known.includes(target)
      ? []
      : [
          {
            document: documentKey(policy),
            path: `spec.targetRefs[${i}]`,
            message: `there is no MCPServer ${target}: these rules can never match`,
          },
        ],
  );
}

function deadRules(policy: AccessPolicyDocument, policies: readonly AccessPolicyDocument[]): DocumentProblem[] {
  const document = documentKey(policy);
  return policy.spec.rules.flatMap((rule, i) => {
    const path = `spec.rules[${i}]`;
    const found = [
      ...rule.from.flatMap((from, j) =>
        contradiction(from).map((message) => ({ path: `${path}.from[${j}]`, message })),
      ),
      ...rule.to.flatMap((to, j) =>
        unreachable(to).map(({ at, message }) => ({ path: `${path}.to[${j}].${at}`, message })),
      ),
    ];
    const shadow = rule.action === "Allow" ? policies.find((other) => denies(other, policy, rule)) : undefined;
    if (shadow !== undefined) {
      found.push({
        path,
        message: `can never match: policy ${documentName(shadow.metadata)} denies all of it to everyone`,
      });
    }
    return found.map((problem) => ({ document, ...problem }));
  });
}

function contradiction({ spiffe, serviceAccount }: FromEntry): string[] {
  if (spiffe === undefined || serviceAccount === undefined) return [];
  const { namespace, name } = serviceAccount;
  const form = parsePattern(`spiffe://*/ns/${namespace}/sa/${name}`);
  return covers(form, parsePattern(spiffe)) ? [] : ["can never match: spiffe and serviceAccount are two workloads"];
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

/** Whether `other` has a Deny rule for everyone that covers all that `rule` allows, on every server of its policy. */
function denies(other: AccessPolicyDocument, policy: AccessPolicyDocument, rule: RuleDocument): boolean {
  if ((other.spec.mode ?? "Enforce") !== "Enforce") return false;
  if (!targetsOf(policy).every((target) => targetsOf(other).includes(target))) return false;
  return other.spec.rules.some(
    (deny) =>
      deny.action === "Deny" &&
      deny.from.some((from) => from.anyone === true && Object.keys(from).length === 1) &&
      rule.to.every((to) => KINDS.every((kind) => (to[kind] ?? []).every((text) => isCovered(deny, kind, text)))),
  );
}

const KINDS = ["tools", "prompts", "resources", "methods"] as const;

const isCovered = (deny: RuleDocument, kind: (typeof KINDS)[number], text: string): boolean =>
  deny.to.some((to) => (to[kind] ?? []).some((pattern) => covers(parsePattern(pattern), parsePattern(text))));
