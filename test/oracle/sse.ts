/** The slow twin of `sse/parse.ts`: all of the stream as one text, cut into lines, then into events (WHATWG HTML, 9.2.6). */
export type SlowEvent = {
  readonly data: string | undefined;
  readonly type: string;
  readonly id: string | undefined;
  readonly retry: string | undefined;
  /** A blank line ended it. */
  readonly terminated: boolean;
};

/** Fields without a colon, with one, with one space after it. */
function field(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(":");
  return colon === -1 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

/** Stricter than the standard, which refuses NUL alone: other control characters end a line for some readers. */
const isPrintable = (text: string): boolean => /^[ -~]*$/.test(text);

function eventOf(lines: readonly string[], terminated: boolean): SlowEvent {
  const values = (name: string): string[] =>
    lines
      .map(field)
      .filter(([key]) => key === name)
      .map(([, value]) => value);
  const data = values("data").join("\n");
  return {
    data: data === "" ? undefined : data,
    type: values("event").filter(isPrintable).at(-1) ?? "",
    id: values("id").filter(isPrintable).at(-1),
    retry: values("retry")
      .filter((retry) => /^[0-9]*$/.test(retry))
      .at(-1),
    terminated,
  };
}

export function parseSlowly(text: string): SlowEvent[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const events: SlowEvent[] = [];
  let event: string[] = [];
  const last = lines.pop() ?? "";
  for (const line of lines) {
    if (line === "") {
      events.push(eventOf(event, true));
      event = [];
    } else if (event.length === 0 && line.startsWith(":")) events.push(eventOf([line], true));
    else event.push(line);
  }
  if (last !== "" || event.length > 0) events.push(eventOf([...event, last], false));
  return events;
}
