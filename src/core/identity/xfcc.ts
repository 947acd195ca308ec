/**
 * `x-forwarded-client-cert`, as Envoy writes it (HTTP connection manager, "x-forwarded-client-cert"): elements parted by
 * commas, one a hop, the nearest last; in each `Key=value` parted by semicolons, values quoted where they need it.
 *
 * Never a source of identity here. It is read for one thing only: Envoy's attribute has the first URI SAN of a certificate
 * and hides a second, which this header shows. A forged one can make its sender anonymous, and nothing else.
 */
export function urisOfNearestHop(header: string): string[] {
  const element = split(header, ",").at(-1) ?? "";
  return split(element, ";")
    .map((pair) => /^\s*URI=(.*)$/is.exec(pair)?.[1])
    .filter((uri) => uri !== undefined);
}

/** Not inside quotes, where a backslash keeps the next character. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === "\\") at++;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
