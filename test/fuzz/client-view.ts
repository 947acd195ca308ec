/**
 * What clients find in what is delivered. They are real ones: eventsource-parser (the official SDK in TypeScript) and
 * httpx-sse (the one in Python); and two that are not by the standard, one with more line ends and one with fewer. They must
 * find the same.
 */
import assert from "node:assert/strict";
import { createParser } from "eventsource-parser";
import type { Delivered } from "./judge.ts";
import type { Readers } from "./readers/readers.ts";

export type Seen = {
  /** The messages, as JSON text; what came in an array is each of them. */
  readonly messages: readonly string[];
  /** Where the client of 2024-11-05 is sent to. */
  readonly endpoints: readonly string[];
};

export async function seenBy({ status, headers, body }: Delivered, readers: Readers): Promise<Seen> {
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const isEmpty = headers.some(([name, value]) => name === "content-length" && value === "0");
  if (body.length === 0 || isEmpty) return { messages: [], endpoints: [] };
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  if (!/^text\/event-stream/i.test(type)) {
    // With an error, the SDK for TypeScript reads anything as JSON that is JSON.
    const mayBePage = (status < 200 || status > 299) && !/^application\/json/i.test(type);
    return {
      messages: mayBePage && !isJson(text.replace(/^\ufeff/, "")) ? [] : separate(text.replace(/^\ufeff/, "")),
      endpoints: [],
    };
  }
  const events = eventsIn(text);
  const data = events.map((event) => event.data);
  const { httpx, lax, lines } = (await readers.events(body)) ?? { httpx: data, lax: data, lines: data };
  assert.deepEqual(dataIn(httpx), data, "two clients read two streams");
  assert.deepEqual(dataIn(lines), data, "a client that reads by lines reads another stream");
  assert.deepEqual(dataIn(lax.map(trimmed)), data.map(trimmed), "a lax client reads another stream");
  return {
    messages: events
      .filter(({ name }) => name === undefined || name === "message")
      .flatMap((event) => separate(event.data)),
    endpoints: events.filter(({ name }) => name === "endpoint").map((event) => event.data),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const trimmed = (text: string): string => text.trim();
const dataIn = (all: readonly string[]): readonly string[] => all.filter((data) => data !== "");

function eventsIn(stream: string): readonly { readonly name: string | undefined; readonly data: string }[] {
  const seen: { name: string | undefined; data: string }[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => void (data !== "" && seen.push({ name: event, data })) });
  parser.feed(stream);
  return seen;
}

/** The readers are asked about one message at a time. JSON.parse has to be able to read it at all. */
function separate(text: string): readonly string[] {
  const document = JSON.parse(text) as unknown;
  return Array.isArray(document) ? document.map((one) => JSON.stringify(one)) : [text];
}

/** A JSON object. */
export type Value = { readonly [key: string]: unknown };
export const isObject = (value: unknown): value is Value =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const objectsIn = (value: unknown): readonly Value[] => (Array.isArray(value) ? value.filter(isObject) : []);
