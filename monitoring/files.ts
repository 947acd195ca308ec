/** All that is generated, by path in this folder. */
import { conduct, health, safety } from "./alerts.ts";
import { boards } from "./boards.ts";
import { rulesFile } from "./rule.ts";
import { budgets, burns, ratios } from "./slo.ts";

export const files: ReadonlyMap<string, string> = new Map([
  [
    "prometheus/recording.yml",
    rulesFile([
      { name: "toolgate-objectives", rules: budgets },
      { name: "toolgate-ratios", rules: ratios },
    ]),
  ],
  [
    "prometheus/alerts.yml",
    rulesFile([
      { name: "toolgate-burn-rates", rules: burns },
      { name: "toolgate-safety", rules: safety },
      { name: "toolgate-conduct", rules: conduct },
      { name: "toolgate-health", rules: health },
    ]),
  ],
  ...boards.map((board) => [`grafana/${board.uid}.json`, `${JSON.stringify(board, undefined, 2)}\n`] as const),
]);
