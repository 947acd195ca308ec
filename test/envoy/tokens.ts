/** JWTs of the issuer that `envoy-config/demo.yaml` trusts, for callers of any role. */
import { SignJWT, exportJWK, generateKeyPair } from "jose";

export const ISSUER = "https://demo.toolgate.dev";
const AUDIENCE = "toolgate-demo";

export type Issuer = {
  /** A JSON Web Key Set with the public key. */
  readonly keySet: string;
  /** A token whose subject and `role` claim are this. */
  readonly token: (role: string) => Promise<string>;
};

export async function createIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256" }] });
  const token = (role: string): Promise<string> =>
    new SignJWT({ role })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(role)
      .setExpirationTime("1h")
      .sign(privateKey);
  return { keySet, token };
}
