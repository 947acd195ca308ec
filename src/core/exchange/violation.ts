/** Envoy broke the protocol, or is configured in a way that cannot be served safely: the stream ends with an error. */
export class ProtocolViolation extends Error {}
