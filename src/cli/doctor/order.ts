/** Whether Toolgate stands where it has to among the filters: who calls is known, and what it judged is what goes on. */
import { EXT_PROC } from "./http-filters.ts";
import type { HttpFilter } from "./http-filters.ts";
import type { Finding } from "./place.ts";

export const JWT_AUTHN = "envoy.filters.http.jwt_authn";
export const NATIVE_MCP = "envoy.filters.http.mcp";
export const NATIVE_MCP_TYPE = "mcp.v3.Mcp";
export const BUFFER_TYPE = "buffer.v3.Buffer";
export const JWT_AUTHN_TYPE = "jwt_authn.v3.JwtAuthentication";

/** By the types of their configurations. */
const AUTHENTICATES = new Set([
  JWT_AUTHN_TYPE,
  "oauth2.v3.OAuth2",
  "basic_auth.v3.BasicAuth",
  "api_key_auth.v3.ApiKeyAuth",
]);
/** Those that change bodies, or can be programmed to. */
const CHANGES_BODIES = new Set([
  "lua.v3.Lua",
  "wasm.v3.Wasm",
  "golang.v3alpha.Config",
  "dynamic_modules.v3.DynamicModuleFilter",
  EXT_PROC,
  "grpc_json_transcoder.v3.GrpcJsonTranscoder",
  "compressor.v3.Compressor",
]);

export function orderFindings(filters: readonly HttpFilter[], toolgate: HttpFilter): readonly Finding[] {
  const place = filters.indexOf(toolgate);
  const before = filters.slice(0, place);
  const behind = filters.slice(place + 1);
  return [
    ...before.flatMap((one) =>
      one.config.type === "router.v3.Router"
        ? [{ at: toolgate.place, message: `move it before ${one.name}: nothing behind it is ever asked` }]
        : [],
    ),
    ...behind.flatMap((one) =>
      AUTHENTICATES.has(one.config.type)
        ? [{ at: toolgate.place, message: `move it behind ${one.name}: it does not know yet who calls` }]
        : [],
    ),
    ...behind.flatMap((one) =>
      CHANGES_BODIES.has(one.config.type)
        ? [{ at: one.place, message: `move it before ${toolgate.name}: it could change what Toolgate has judged` }]
        : [],
    ),
  ];
}
