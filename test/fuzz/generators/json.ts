/** JSON text out of parts that are text already, so that a generator decides how each number and string is written. */

/** Members without a value are left out. */
export const objectText = (members: Readonly<Record<string, string | undefined>>): string =>
  bracesAround(
    Object.entries(members).flatMap(([key, value]) => (value === undefined ? [] : [memberText(key, value)])),
  );

export const memberText = (key: string, value: string): string => `${JSON.stringify(key)}:${value}`;
export const bracesAround = (members: readonly string[]): string => `{${members.join(",")}}`;
export const arrayText = (elements: readonly string[]): string => `[${elements.join(",")}]`;

/** The same members, beginning with another one. */
export function turned(members: readonly string[], by: number): string[] {
  const at = members.length === 0 ? 0 : by % members.length;
  return [...members.slice(at), ...members.slice(0, at)];
}
