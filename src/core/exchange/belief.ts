/**
 * What has to stand in Envoy's configuration for a way of asking to be safe, and what no message shows. `lean`: the filter
 * `envoy.filters.http.buffer` behind ext_proc, without which headers go on before there is a decision. `native-mcp`: a
 * strict `envoy.filters.http.mcp` before it, which then is what reads bodies.
 */
export const BELIEFS = ["lean", "native-mcp"] as const;
export type Belief = (typeof BELIEFS)[number];
