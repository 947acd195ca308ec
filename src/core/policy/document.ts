/** The documents people write, and their JSON Schema: the one source for the validator, for editors and for the types. */
import type { Problem } from "../result.ts";
import type { Mode } from "./decision.ts";

export const API_VERSION = "toolgate.dev/v1alpha1";

export type Metadata = { readonly name: string; readonly namespace?: string };

/**
 * How a request is recognised as going to a server: by Envoy's route name, or by path and, if given, host. With `messages`
 * the path is the stream of HTTP with SSE (2024-11-05), and `messages` the path of its POSTs.
 */
export type ServerMatch =
  | { readonly route: string }
  | { readonly path: string; readonly host?: string; readonly messages?: string };

/** How the server is served; what is left out is the first of each. */
export type ServerOptions = {
  /**
   * `pass`: only lists and what a server says of itself are read, everything else goes by us after the decision. Faster,
   * and how calls end is not known then.
   */
  readonly answers?: "read" | "pass";
  /** Arrays of messages, which 2025-03-26 has. Each message in one is judged alone. */
  readonly batches?: "refuse" | "judge";
  /** A tool whose definition has another digest is not shown, and an alarm is raised. */
  readonly pins?: readonly { readonly tool: string; readonly sha256: string }[];
};

export type ServerDocument = {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "MCPServer";
  readonly metadata: Metadata;
  readonly spec: { readonly match: readonly ServerMatch[] } & ServerOptions;
};

/** One requirement on a JWT: the claim (nested names joined by dots) holds one of the values. */
export type ClaimRequirement = { readonly name: string; readonly values: readonly string[] };

/** Fields inside one entry are AND. */
export type FromEntry = {
  readonly anyone?: true;
  readonly spiffe?: string;
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly certificate?: { readonly dns: string } | { readonly subject: string };
  readonly jwt?: { readonly issuer: string; readonly subject?: string; readonly claims?: readonly ClaimRequirement[] };
};

export type ToEntry = {
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
  readonly methods?: readonly string[];
};

export type RuleDocument = {
  readonly name: string;
  readonly action: "Allow" | "Deny";
  readonly from: readonly FromEntry[];
  readonly to: readonly ToEntry[];
};

export type AccessPolicyDocument = {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "MCPAccessPolicy";
  readonly metadata: Metadata;
  readonly spec: {
    readonly targetRefs: readonly { readonly kind: "MCPServer"; readonly name: string }[];
    readonly mode?: Mode;
    readonly rules: readonly RuleDocument[];
  };
};

export type PolicyDocument = ServerDocument | AccessPolicyDocument;

/** `<namespace>/<name>`; the namespace is `default` where none is written, as in Kubernetes. */
export const documentName = (metadata: Metadata): string => `${metadata.namespace ?? "default"}/${metadata.name}`;

/** `MCPServer tools/everything` */
export const documentKey = (document: PolicyDocument): string => `${document.kind} ${documentName(document.metadata)}`;

/** The servers that a policy is about, which are in its own namespace. */
export const targetsOf = (document: AccessPolicyDocument): string[] =>
  document.spec.targetRefs.map((ref) => documentName({ ...document.metadata, name: ref.name }));

/**
 * What a document without a usable version is about. `targets`: the servers it names, or "all" when that could not be
 * read. `matches`: of a server, the requests that go to it; a broader server must not get them.
 */
export type About = { readonly targets: readonly string[] | "all"; readonly matches: readonly ServerMatch[] };

export type InvalidDocument = About & { readonly name: string };

/** `document` is its key. */
export type DocumentProblem = Problem & { readonly document: string };

/** A `title` is a noun phrase that completes "must be ...": problems and editors show it. */
const NAME = {
  type: "string",
  title: 'a name of lower-case letters, digits, "-" and "."',
  pattern: "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
} as const;
const text = (description: string) => ({ type: "string", minLength: 1, description }) as const;
const list = (items: object, description?: string) =>
  ({ type: "array", minItems: 1, items, ...(description === undefined ? {} : { description }) }) as const;
const object = (required: readonly string[], properties: Record<string, object>, more: object = {}) => ({
  type: "object",
  required,
  properties,
  additionalProperties: false,
  ...more,
});

const PATH = {
  type: "string",
  title: 'a path, which begins with "/" and has no "?" or "#"',
  pattern: "^/[^?#]*$",
} as const;

const metadata = {
  type: "object",
  required: ["name"],
  properties: { name: NAME, namespace: NAME, labels: { type: "object" }, annotations: { type: "object" } },
};

const PATTERNS = "Exact, or with * for any run of characters.";
/** A field that is planned: refused with this sentence, so that nobody believes it is being enforced. */
const notYet = (description: string) => ({ not: {}, description }) as const;

const fromEntry = object(
  [],
  {
    anyone: { const: true, description: "Every caller, also one without an identity." },
    spiffe: {
      type: "string",
      title: 'a SPIFFE ID, which begins with "spiffe://"',
      pattern: "^spiffe://",
      description: `A workload's SPIFFE ID. ${PATTERNS}`,
    },
    serviceAccount: object(["namespace", "name"], { namespace: NAME, name: NAME }),
    certificate: object(
      [],
      {
        dns: text(`The first DNS name of a certificate that has no URI. ${PATTERNS}`),
        subject: text(`The subject of a certificate that has neither, as Envoy writes it. ${PATTERNS}`),
      },
      { title: 'a "dns" or a "subject"', minProperties: 1, maxProperties: 1 },
    ),
    jwt: object(["issuer"], {
      issuer: text("The `iss` claim, exactly."),
      subject: text("The `sub` claim, exactly."),
      claims: list(
        object(["name", "values"], {
          name: text("A claim's name; nested names are joined by dots."),
          values: list({ type: "string" }, "The claim, or one element of it, is one of these."),
        }),
      ),
    }),
  },
  { minProperties: 1 },
);

const toEntry = object(
  [],
  {
    tools: list(text("A tool's name."), `Tools that may be called. ${PATTERNS}`),
    prompts: list(text("A prompt's name."), `Prompts that may be fetched. ${PATTERNS}`),
    resources: list(text("A resource's URI."), `Resources that may be read. ${PATTERNS}`),
    methods: list(text("A method of MCP."), `Any other method of MCP. ${PATTERNS}`),
    arguments: notYet("conditions on arguments are not supported by this version of Toolgate"),
  },
  { minProperties: 1 },
);

const rule = object(["name", "action", "from", "to"], {
  name: NAME,
  action: { enum: ["Allow", "Deny"] },
  from: list(fromEntry, "Who: entries are OR, fields inside one entry are AND."),
  to: list(toEntry, "What: entries are OR."),
  when: notYet("CEL conditions are not supported by this version of Toolgate"),
});

/** JSON Schema 2020-12 of one document. */
export const DOCUMENT_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://toolgate.dev/schema/v1alpha1.json",
  title: "Toolgate policy document",
  type: "object",
  required: ["apiVersion", "kind", "metadata", "spec"],
  properties: { apiVersion: { const: API_VERSION }, kind: { enum: ["MCPServer", "MCPAccessPolicy"] } },
  oneOf: [
    object(["apiVersion", "kind", "metadata", "spec"], {
      apiVersion: { const: API_VERSION },
      kind: { const: "MCPServer" },
      metadata,
      spec: object(["match"], {
        match: list(
          object(
            [],
            {
              host: text("The request's host, without a port; needs a path."),
              path: { ...PATH, description: "The request's path, byte for byte." },
              messages: {
                ...PATH,
                description:
                  "The path is the stream of HTTP with SSE (2024-11-05); its messages are sent to this path.",
              },
              route: text("The name of Envoy's route."),
            },
            {
              title: 'a "path", with a "host" or "messages" or without, or a "route" alone',
              oneOf: [
                { required: ["path"], not: { required: ["route"] } },
                { required: ["route"], maxProperties: 1 },
              ],
            },
          ),
          "Any of these; the most specific server wins: route, then host and path, then path.",
        ),
        answers: {
          enum: ["read", "pass"],
          default: "read",
          description: "pass: after the decision only lists are read; faster, and how calls end is not known.",
        },
        pins: list(
          object(["tool", "sha256"], {
            tool: text("A tool's name, exactly."),
            sha256: {
              type: "string",
              title: "a SHA-256 in 64 lower-case hexadecimal digits",
              pattern: "^[0-9a-f]{64}$",
            },
          }),
          "Tools that are shown only while their definition is the one of this digest (`toolgate pin` prints it).",
        ),
        batches: {
          enum: ["refuse", "judge"],
          default: "refuse",
          description: "judge: arrays of messages (2025-03-26) are taken, each message judged alone.",
        },
      }),
    }),
    object(["apiVersion", "kind", "metadata", "spec"], {
      apiVersion: { const: API_VERSION },
      kind: { const: "MCPAccessPolicy" },
      metadata,
      spec: object(["targetRefs", "rules"], {
        targetRefs: list(object(["kind", "name"], { kind: { const: "MCPServer" }, name: NAME })),
        mode: { enum: ["Enforce", "Audit"], default: "Enforce" },
        rules: list(rule),
      }),
    }),
  ],
} as const;
