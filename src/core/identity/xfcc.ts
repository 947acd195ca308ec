/**
 * `x-forwarded-client-cert`, as Envoy writes it (HTTP connection manager, "x-forwarded-client-cert"): elements parted by
 * commas, one a hop, the nearest last; in each `Key=value` parted by semicolons, values quoted where they need it. A backslash
 * in quotes takes its meaning from what follows: `Subject="O=Acme\, Inc."`.
 */
import { XFCC } from "../mcp/headers.ts";
import type { HeaderList } from "../mcp/headers.ts";

/** Those of one certificate. */
export type Names = {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly subject: string | undefined;
};

/** `text`: as it came. */
export type XfccElement = Names & { readonly text: string };

/**
 * The elements of the last so many hops, fewer where there are fewer; undefined when they cannot be told. A client can have
 * written what stands before them. Whatever it opens there and does not close would swallow them, so that a header whose
 * quotes do not close is none; and neither is one with a backslash, which could make them close elsewhere.
 */
export function trustedElements(headers: HeaderList, hops: number): readonly XfccElement[] | undefined {
  return textOf(headers)?.includes("\\") === true ? undefined : parseXfcc(headers)?.slice(-hops);
}

/** A header that stands twice is one list (RFC 9110, section 5.3). */
function textOf(headers: HeaderList): string | undefined {
  const values = headers.flatMap(([name, value]) => (name === XFCC ? [value] : []));
  return values.length === 0 ? undefined : values.join(",");
}

/** Undefined when it is malformed; empty when there is no such header. */
export function parseXfcc(headers: HeaderList): readonly XfccElement[] | undefined {
  const header = textOf(headers);
  if (header === undefined) return [];
  const elements = split(header, ",");
  return elements?.map((text) => {
    const pairs = split(text, ";") ?? [];
    const valuesOf = (key: string): string[] => pairs.flatMap((pair) => valueOf(pair, key));
    return { text, uris: valuesOf("uri"), dnsNames: valuesOf("dns"), subject: valuesOf("subject")[0] };
  });
}

function valueOf(pair: string, wanted: string): string[] {
  const [, key = "", value = ""] = /^\s*([^=\s]+)=(.*)$/s.exec(pair) ?? [];
  if (key.toLowerCase() !== wanted) return [];
  return [value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value];
}

/** Not inside quotes; undefined when they do not close. */
function split(text: string, separator: string): readonly string[] | undefined {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === "\\" && isQuoted) at++;
    else if (text[at] === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return isQuoted ? undefined : [...parts, text.slice(start)];
}
