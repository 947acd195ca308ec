/** `google.protobuf.Struct`, as protobufjs reads it and as plain values. */
import type { Claim } from "../core/identity/identity.ts";
import { assertNever } from "../core/result.ts";

export type Struct = { readonly fields: Readonly<Record<string, StructValue>> };
export type StructValue =
  | { readonly kind: "nullValue"; readonly nullValue: 0 }
  | { readonly kind: "numberValue"; readonly numberValue: number }
  | { readonly kind: "stringValue"; readonly stringValue: string }
  | { readonly kind: "boolValue"; readonly boolValue: boolean }
  | { readonly kind: "structValue"; readonly structValue: Struct }
  | { readonly kind: "listValue"; readonly listValue: { readonly values: readonly StructValue[] } }
  | { readonly kind: undefined };

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
