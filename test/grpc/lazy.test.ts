import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { readHeadersAsPairs, readMetadataLater } from "../../src/grpc/lazy.ts";

const SCHEMA = `syntax = "proto3";
message HeaderMap { repeated HeaderValue headers = 1; }
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; string later = 4; }
message Outer { HeaderMap map = 1; Metadata metadata = 2; string after = 3; }
message Metadata { map<string, string> filter_metadata = 1; }`;

type Header = { readonly key: string; readonly value: string; readonly rawValue: Uint8Array };

/** As protobufjs reads it, and as we do. */
const plain = protobuf.parse(SCHEMA).root;
const ours = protobuf.parse(SCHEMA).root;
readHeadersAsPairs(ours.lookupType("HeaderMap"));
readMetadataLater(ours.lookupType("Metadata"));

const encode = (message: object): Buffer => Buffer.from(plain.lookupType("Outer").encode(message).finish());
const decode = (root: protobuf.Root, bytes: Buffer) =>
  root.lookupType("Outer").decode(bytes) as unknown as {
    readonly map: { readonly headers: readonly unknown[] };
    readonly metadata: { readonly filterMetadata: object };
    readonly after: string;
  };

/** What each header stands for: the raw value, else the value, and both when they differ. */
const pairsOf = ({ key, value, rawValue }: Header): (readonly string[])[] => {
  const raw = Buffer.from(rawValue).toString("latin1");
  const first = [key, raw === "" ? value : raw];
  return raw !== "" && value !== "" && raw !== value ? [first, [key, value]] : [first];
};

const ascii = fc.string({ unit: "binary-ascii", maxLength: 12 });
const header = fc.record({ key: ascii, value: ascii, rawValue: fc.uint8Array({ maxLength: 12 }), later: ascii });

describe("readHeadersAsPairs()", () => {
  test("reads what protobufjs reads, and leaves the reader where the next field begins", () => {
    fc.assert(
      fc.property(fc.array(header, { maxLength: 6 }), ascii, (headers, after) => {
        const bytes = encode({ map: { headers }, after });
        const theirs = decode(plain, bytes).map.headers as readonly Header[];
        const message = decode(ours, bytes);
        expect(message.map.headers).toEqual(theirs.flatMap(pairsOf));
        expect(message.after).toBe(after);
      }),
    );
  });

  test("keeps bytes that are no UTF-8, one character a byte", () => {
    const bytes = encode({ map: { headers: [{ key: "a", rawValue: Buffer.from([0xff, 0xc3, 0xa9]) }] } });
    expect(decode(ours, bytes).map.headers).toEqual([["a", "\u00ff\u00c3\u00a9"]]);
  });

  test("throws where a header ends outside of its message, at whatever byte it is cut", () => {
    const whole = encode({ map: { headers: [{ key: "name", rawValue: Buffer.from("value") }] } });
    for (let cut = 1; cut < whole.length; cut++) {
      const bytes = Buffer.from(whole.subarray(0, cut));
      expect(() => decode(ours, bytes), `cut at byte ${cut}`).toThrow();
    }
    // The header says that it has six bytes more than the map.
    expect(() => decode(ours, Buffer.from([0x0a, 0x02, 0x0a, 0x06]))).toThrow();
    // The value says that it has more bytes than the header, and they are there.
    expect(() => decode(ours, Buffer.from([0x0a, 0x06, 0x0a, 0x02, 0x0a, 0x04, 0x61, 0x61, 0x61, 0x61]))).toThrow();
  });
});

describe("readMetadataLater()", () => {
  test("reads what protobufjs reads", () => {
    const bytes = encode({ metadata: { filterMetadata: { a: "1", b: "2" } }, after: "x" });
    const message = decode(ours, bytes);
    expect(message.metadata.filterMetadata).toEqual({ a: "1", b: "2" });
    expect(message.after).toBe("x");
  });
});
