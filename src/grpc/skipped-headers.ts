/**
 * Where Envoy skips headers (`request_header_mode`, `response_header_mode` SKIP), it tells of them what it is asked for
 * (`request_attributes`, `response_attributes`). An attribute of a header is absent when the header is, and also when nobody
 * has asked for it; so that Envoy computes which headers a request has (CEL), and has a word for those that an answer has not.
 */
import type { ResponseHeadersEvent } from "../core/exchange/event.ts";
import { ProtocolViolation } from "../core/exchange/violation.ts";
import { apart } from "../core/mcp/headers.ts";
import type { HeaderList } from "../core/mcp/headers.ts";
import { attribute, text } from "./attributes.ts";
import type { ProcessingRequest } from "./protos.ts";

/** Attributes that every request has. */
const PSEUDO = { ":method": "request.method", ":path": "request.path", ":authority": "request.host" } as const;

/** Headers that are read. */
const READ = [
  "content-type",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "x-forwarded-client-cert",
  "l5d-client-id",
] as const;

/** Headers that no request may have here: what they say changes what a request is. */
const REFUSED = [
  "content-encoding",
  "upgrade",
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
] as const;

const HEADERS = [...READ, ...REFUSED];

const value = (name: string): string => `request.headers["${name}"]`;

/** The attribute that says which of the headers there are: a number, with a bit for each. */
export const PRESENCE = HEADERS.map((name, bit) => `("${name}" in request.headers ? ${2 ** bit} : 0)`).join(" + ");

/** All of them, as they stand in `request_attributes`. */
export const LEAN_ATTRIBUTES: readonly string[] = [...Object.values(PSEUDO), PRESENCE, ...READ.map(value)];

/** The headers as far as they count. Throws when Envoy has not told what it was to tell. */
export function skippedHeaders(request: ProcessingRequest): HeaderList {
  const told = (name: string): string => {
    const said = text(attribute(request, name));
    return said === undefined ? lacking(name) : said;
  };
  const presence = attribute(request, PRESENCE);
  if (presence?.kind !== "numberValue") return lacking(PRESENCE);
  const list = Object.entries(PSEUDO).map(([name, key]) => [name, bytesOf(told(key))] as const);
  const present = HEADERS.filter((_, bit) => (presence.numberValue & (2 ** bit)) !== 0);
  return [
    ...list,
    ...present.flatMap((name) => (isRead(name) ? apart([name, bytesOf(told(value(name)))]) : [[name, ""] as const])),
  ];
}

const isRead = (name: (typeof HEADERS)[number]): name is (typeof READ)[number] => READ.some((one) => one === name);

function lacking(name: string): never {
  throw new ProtocolViolation(
    `Envoy does not tell what is needed where request headers are skipped: add to request_attributes, as in envoy-config/lean.yaml: ${name}`,
  );
}

/** Headers of an answer that are read. The filter `header_to_metadata` keeps them, or `NONE`. */
const ANSWER_HEADERS = ["content-type", "content-encoding"] as const;
const NONE = "none";
const CODE = "response.code";
export const CODE_DETAILS = "response.code_details";

const kept = (name: string): string => `metadata.filter_metadata["toolgate.response"]["${name}"]`;

/** All of them, as they stand in `response_attributes`. */
export const ANSWER_ATTRIBUTES: readonly string[] = [CODE, CODE_DETAILS, ...ANSWER_HEADERS.map(kept)];

/** The headers of an answer as far as they count; undefined where Envoy has not told all that it was to tell. */
export function skippedAnswerHeaders(request: ProcessingRequest): ResponseHeadersEvent | undefined {
  const code = attribute(request, CODE);
  const codeDetails = text(attribute(request, CODE_DETAILS));
  if (code?.kind !== "numberValue" || codeDetails === undefined) return undefined;
  const headers: [name: string, value: string][] = [[":status", String(code.numberValue)]];
  for (const name of ANSWER_HEADERS) {
    const said = text(attribute(request, kept(name)));
    // Of its own answers Envoy tells nothing more.
    if (said === undefined && codeDetails === "via_upstream") return undefined;
    if (said !== undefined && said !== NONE) headers.push([name, bytesOf(said)]);
  }
  return { kind: "responseHeaders", headers, endOfStream: false, codeDetails };
}

/** One character a byte, as headers are. */
const bytesOf = (said: string): string => Buffer.from(said).toString("latin1");
