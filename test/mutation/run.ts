import { Stryker } from "@stryker-mutator/core";
import { GROUPS, GROUP_NAMES } from "./groups.ts";
const names = process.argv.slice(2);
for (const name of GROUP_NAMES) {
  if (names.length>0 && !names.includes(name)) continue;
  process.env["MUTATION_GROUP"] = name;
  const started=Date.now();
  const results = await new Stryker({ mutate: process.env.MUTATE ? [process.env.MUTATE] : [...GROUPS[name].mutate] }).runMutationTest();
  const c={};
  for(const r of results) c[r.status]=(c[r.status]??0)+1;
  console.log(name, c, (Date.now()-started)/1000);
  for(const r of results) if(r.status==="Survived"||r.status==="NoCoverage") console.log(r.status[0], r.fileName.split("core/")[1], r.location.start.line, r.mutatorName, "=>", r.replacement?.slice(0,120));
  if (process.env.DUMP) (await import("node:fs")).writeFileSync(process.env.DUMP, JSON.stringify(results));
}
