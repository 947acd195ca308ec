/**
 * HOT: two messages that protobufjs reads into more than we need, read by hand. Envoy's headers become pairs of text
 * without an object and a slice for each (10 us of 136 a call), and metadata is read only where it is asked for: Envoy
 * repeats it with every message, we want it once (4 us). Twin: what protobufjs makes of the same bytes, in
 * test/grpc/lazy.test.ts.
 */
import protobuf from "protobufjs";
import type { HeaderList } from "../core/mcp/headers.ts";
import type { Struct } from "./struct.ts";

/** Tags of `HeaderMap.headers` and of `HeaderValue`: field number and wire type 2, length-delimited. */
const HEADERS = (1 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;
const RAW_VALUE = (3 << 3) | 2;

/** Makes `HeaderMap` decode to `{ headers: HeaderList }`. */
export function readHeadersAsPairs(headerMap: protobuf.Type): void {
  headerMap.setup();
  headerMap.decode = (from, length) => {
    const reader = from instanceof protobuf.Reader ? from : protobuf.Reader.create(from);
    const end = length === undefined ? reader.len : reader.pos + length;
    const headers: HeaderList[number][] = [];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === HEADERS) readHeader(reader, headers);
      else reader.skipType(tag & 7);
    }
    return { headers } as never;
  };
}

/** One character a byte: what the bytes mean is for those to say who read the header. */
function readHeader(reader: protobuf.Reader, headers: HeaderList[number][]): void {
  const bytes = reader.buf as Buffer;
  const end = reader.uint32() + reader.pos;
  let key = "";
  let value = "";
  let rawValue = "";
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag !== KEY && tag !== VALUE && tag !== RAW_VALUE) {
      reader.skipType(tag & 7);
      continue;
    }
    const size = reader.uint32();
    const start = reader.pos;
    reader.skip(size);
    const text = bytes.toString("latin1", start, reader.pos);
    if (tag === KEY) key = text;
    else if (tag === VALUE) value = text;
    else rawValue = text;
  }
  if (reader.pos !== end) throw new RangeError("a header ends outside of its message");
  headers.push([key, rawValue === "" ? value : rawValue]);
  // Both set and different: two values, so that the header stands twice.
  if (rawValue !== "" && value !== "" && rawValue !== value) headers.push([key, value]);
}

/** `envoy.config.core.v3.Metadata`. */
export type Metadata = { readonly filterMetadata: Readonly<Record<string, Struct>> };

/** Makes `Metadata` decode when it is first asked for. */
export function readMetadataLater(metadata: protobuf.Type): void {
  metadata.setup();
  const decode = metadata.decode.bind(metadata);
  metadata.decode = (from, length) => {
    if (!(from instanceof protobuf.Reader) || length === undefined) return decode(from, length);
    const start = from.pos;
    from.skip(length);
    return new LaterMetadata(from.buf.subarray(start, from.pos), decode) as never;
  };
}

class LaterMetadata implements Metadata {
  readonly #bytes: Uint8Array;
  readonly #decode: (bytes: Uint8Array) => unknown;

  constructor(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown) {
    this.#bytes = bytes;
    this.#decode = decode;
  }

  get filterMetadata(): Readonly<Record<string, Struct>> {
    return (this.#decode(this.#bytes) as Metadata).filterMetadata;
  }
}
