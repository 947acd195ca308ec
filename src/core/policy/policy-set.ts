/** All policy, compiled. Frozen: a reload makes another one. */
import type { Subject } from "../mcp/subject.ts";
import type { Mode, RuleRef } from "./decision.ts";
import type { RuleDocument, ServerOptions } from "./document.ts";
import type { CallerIndex } from "./rule-index.ts";
import { NameIndex } from "./rule-index.ts";

/** What a request is recognised by. */
export type Destination = {
  readonly route: string | undefined;
  readonly host: string | undefined;
  readonly path: string;
};

export type SubjectKind = Exclude<Subject["kind"], "template">;

/** Deny rules and Allow rules are two sets, not one list with an order. Audited Deny rules are a third: they refuse nobody. */
export type Rules = { readonly denies: NameIndex; readonly auditedDenies: NameIndex; readonly allows: NameIndex };

export type Server = {
  /** `<namespace>/<name>` */
  readonly name: string;
  readonly rules: { readonly [kind in SubjectKind]: Rules };
  /** Who has base access: callers of any Allow rule. */
  readonly base: CallerIndex;
  /** Default deny refuses. False while all policies on this server are in Audit mode. */
  readonly enforced: boolean;
  /** A document about this server could not be used: everything is denied. */
  readonly invalid: boolean;
  /** Some rule asks for a JWT: who has none is told to bring one. */
  readonly wantsUser: boolean;
  readonly answers: NonNullable<ServerOptions["answers"]>;
  readonly batches: NonNullable<ServerOptions["batches"]>;
  /** By tool: the SHA-256 of its definition, in hexadecimal. */
  readonly pins: ReadonlyMap<string, string>;
};

/** Where on a server a request goes. */
export type Endpoint = {
  readonly server: Server;
  /** `http`: one path for everything (2025-03-26 and later). The others are those of HTTP with SSE (2024-11-05). */
  readonly transport: "http" | "sse-stream" | "sse-messages";
  /** Of a stream: where its client has to send its messages. */
  readonly messagesPath: string | undefined;
};

/** A rule as it is in force: what can be counted against it, and found never to match. */
export type RuleInForce = RuleRef & {
  readonly action: RuleDocument["action"];
  readonly mode: Mode;
  /** Those that it is about and that exist. */
  readonly servers: readonly string[];
};

export type PolicySet = {
  readonly servers: readonly Server[];
  /** In the order of the documents. Without those of a document that cannot be used, and those that are built in. */
  readonly rules: readonly RuleInForce[];
  readonly counts: {
    readonly servers: number;
    readonly policies: number;
    readonly rules: number;
    readonly invalid: number;
  };
  /** Where a request goes: the most specific match. */
  readonly match: (destination: Destination) => Endpoint | undefined;
  /** Whether a request without a match may go to one of these all the same, or to one that no document could describe. */
  readonly mayBeServer: (destination: Destination) => boolean;
  /** Whether a policy on that server has this exact name. */
  readonly isNamed: (server: string, kind: "tool" | "prompt", name: string) => boolean;
};

export const EMPTY_POLICY_SET: PolicySet = Object.freeze({
  servers: [],
  rules: [],
  counts: { servers: 0, policies: 0, rules: 0, invalid: 0 },
  match: () => undefined,
  mayBeServer: () => true,
  isNamed: () => false,
});

export const emptyRules = (): Rules => ({
  denies: new NameIndex(),
  auditedDenies: new NameIndex(),
  allows: new NameIndex(),
});
