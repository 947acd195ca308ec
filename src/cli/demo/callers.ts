/**
 * The demo's two callers, and the one that only `--load` adds. Their tokens are signed with a key that lives as long as the
 * demo; Envoy gets the public half and does the verifying, as it would with the keys of a real identity provider.
 */
import { SignJWT, exportJWK, generateKeyPair } from "jose";

export const CALLERS = ["reader", "admin"] as const;
export type CallerName = (typeof CALLERS)[number];
const ANALYST = "analyst";

/** What `envoy-config/demo.yaml` and `examples/policies` expect in a token. */
const ISSUER = "https://demo.toolgate.dev";
const AUDIENCE = "toolgate-demo";
const LIFETIME = "24h";

export type Callers = {
  /** A JSON Web Key Set with the public key. */
  readonly keySet: string;
  readonly tokens: Readonly<Record<CallerName | typeof ANALYST, string>>;
};

/** Makes a key and a token for each caller, whose subject and `role` claim are its name. */
export async function createCallers(): Promise<Callers> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const sign = (name: string) =>
    new SignJWT({ role: name })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(name)
      .setExpirationTime(LIFETIME)
      .sign(privateKey);
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256" }] });
  const tokens = { reader: await sign("reader"), admin: await sign("admin"), analyst: await sign(ANALYST) };
  return { keySet, tokens };
}
