/** For the core, which has no cryptography of its own, and for `toolgate pin`: both must say the same of a definition. */
import { hash } from "node:crypto";
import type { Sha256 } from "./core/exchange/asked-by.ts";

export const sha256: Sha256 = (bytes) => hash("sha256", bytes);
