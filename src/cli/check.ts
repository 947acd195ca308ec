/** `toolgate check DIR`: what is wrong with the policies in a directory, before anything serves them. */
import { readDirectory } from "../policies/files.ts";
import { keepLastGood } from "../policies/last-good.ts";
import { formatProblem } from "../policies/source.ts";
import { plural } from "./plural.ts";

/** Where a text goes, a line at a time; `process.stdout` is one. */
type Output = { readonly write: (text: string) => unknown };

/** The trust domain changes which workloads a rule means, not whether it is right. */
const TRUST_DOMAIN = "cluster.local";

/** Prints all problems and warnings; resolves to the exit code: 1 with problems, 2 when the directory cannot be read. */
export async function runCheck(directory: string, out: Output): Promise<number> {
  const delivery = await readDirectory(directory);
  if (delivery.kind === "unreadable") {
    out.write(`${delivery.problem.file}: ${delivery.problem.message}\n`);
    return 2;
  }
  const { files } = delivery;
  const kept = keepLastGood(new Map(), files, { trustDomain: TRUST_DOMAIN });
  const problems = kept.problems.map(formatProblem);
  const warnings = kept.warnings.map((one) => formatProblem({ ...one, message: `warning: ${one.message}` }));
  if (files.length === 0)
    warnings.push(`${directory}: warning: no *.yaml or *.yml file in it, so everything is denied`);
  const documents = files.reduce((sum, file) => sum + file.documents.length, 0);
  const where = `${plural(documents, "document")} in ${plural(files.length, "file")}`;
  const counts = `${where}: ${plural(problems.length, "problem")}, ${plural(warnings.length, "warning")}`;
  for (const line of [...problems, ...warnings, counts]) out.write(`${line}\n`);
  return problems.length > 0 ? 1 : 0;
}
