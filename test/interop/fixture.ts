/** What every fixture server offers, in `fixture.json`: the same names and the same answers, whatever SDK serves them. */
import data from "./fixture.json" with { type: "json" };

export type Kind = "tools" | "prompts" | "resources" | "resourceTemplates";

type Entry = { readonly [member: string]: unknown };

/** The file as its readers need it: the compiler's own type of it knows each string, and no open shape. */
export type Fixture = {
  readonly serverInfo: { readonly name: string; readonly title: string; readonly version: string };
  readonly instructions: string;
  readonly pageSizes: Readonly<Record<Kind, number>>;
  readonly contents: Readonly<Record<string, Entry>>;
  readonly answers: Readonly<Record<string, Entry>>;
  readonly refusal: { readonly code: number; readonly message: string; readonly data: Entry };
  readonly elicitation: Entry;
  readonly sampling: Entry;
  /** What a client answers when it is asked. */
  readonly client: { readonly elicited: Entry; readonly sampled: Entry };
  readonly completions: Readonly<Record<string, readonly string[]>>;
} & Readonly<Record<Kind, readonly Entry[]>>;

export const FIXTURE: Fixture = data;
