/** What Envoy says of a request or an answer beside it: the attributes that the ext_proc filter is told to send. */
import type { ProcessingRequest } from "./protos.ts";
import type { StructValue } from "./struct.ts";

const EXT_PROC = "envoy.filters.http.ext_proc";

export const attribute = (request: ProcessingRequest, name: string): StructValue | undefined =>
  request.attributes[EXT_PROC]?.fields[name];

export const text = (value: StructValue | undefined): string | undefined =>
  value?.kind === "stringValue" ? value.stringValue : undefined;

export const flag = (value: StructValue | undefined): boolean | undefined =>
  value?.kind === "boolValue" ? value.boolValue : undefined;

/** The attribute `request.id`, which is also Envoy's `x-request-id`. */
export const requestId = (request: ProcessingRequest): string | undefined => text(attribute(request, "request.id"));

/** Where the connection comes from, with its port, where Envoy is told to send the attribute `source.address`. */
export const sourceAddress = (request: ProcessingRequest): string | undefined =>
  text(attribute(request, "source.address"));
