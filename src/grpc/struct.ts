/** `google.protobuf.Struct` as plain values. */
import type { Claim } from "../core/identity/identity.ts";
import { assertNever } from "../core/result.ts";
import type { Struct, StructValue } from "./protos.ts";

export function toClaims(struct: Struct): { readonly [name: string]: Claim } {
  const claims = Object.create(null) as { [name: string]: Claim };
  for (const [name, value] of Object.entries(struct.fields)) claims[name] = toClaim(value);
  return claims;
}

function toClaim(value: StructValue): Claim {
  switch (value.kind) {
    case "stringValue":
      return value.stringValue;
    case "numberValue":
      return value.numberValue;
    case "boolValue":
      return value.boolValue;
    case "listValue":
      return value.listValue.values.map(toClaim);
    case "structValue":
      return toClaims(value.structValue);
    case "nullValue":
    case undefined:
      return null;
    default:
      return assertNever(value);
  }
}
