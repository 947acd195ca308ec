/** `npm run monitoring`: writes the dashboards and the rules. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { files } from "./files.ts";

for (const [path, text] of files) await writeFile(join(import.meta.dirname, path), text);
