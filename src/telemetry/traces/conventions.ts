/**
 * The names of OpenTelemetry's conventions that our spans use: `open-telemetry/semantic-conventions-genai`, `docs/gen-ai/mcp.md`
 * (in development; read in August 2026), and the stable ones of `open-telemetry/semantic-conventions`. They are copied, as the
 * package says of its `incubating` entry that it breaks in minor versions; a test holds them against it.
 */
export const CONVENTIONS = {
  METHOD: "mcp.method.name",
  PROTOCOL_VERSION: "mcp.protocol.version",
  SESSION: "mcp.session.id",
  RESOURCE_URI: "mcp.resource.uri",
  TOOL: "gen_ai.tool.name",
  PROMPT: "gen_ai.prompt.name",
  OPERATION: "gen_ai.operation.name",
  REQUEST_ID: "jsonrpc.request.id",
  STATUS_CODE: "rpc.response.status_code",
  ERROR_TYPE: "error.type",
  TRANSPORT: "network.transport",
  PROTOCOL: "network.protocol.name",
  CLIENT_ADDRESS: "client.address",
  CLIENT_PORT: "client.port",
  RULE: "security_rule.name",
  RULESET: "security_rule.ruleset.name",
  SERVICE: "service.name",
  SERVICE_VERSION: "service.version",
  SERVICE_INSTANCE: "service.instance.id",
} as const;

/** Proposed for authorization by `kubernetes-sigs/kube-agentic-networking` (0033), and in no convention as yet. */
export const EVENT = { ACTION: "event.action", OUTCOME: "event.outcome" } as const;

/** Ours: what no convention has. */
export const TOOLGATE = {
  SERVER: "toolgate.server",
  CALLER: "toolgate.caller",
  DECISION: "toolgate.decision",
  MODE: "toolgate.policy.mode",
  REASON: "toolgate.reason",
  OUTCOME: "toolgate.outcome",
} as const;
