import { dirname, join } from 'node:path';
import { listFiles, readYaml } from './read-files.ts';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

interface TestFile {
  readonly rule_files: readonly string[];
  readonly group_eval_order?: readonly string[];
  readonly tests: readonly {
    readonly name: string;
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

export const RULE_FILES = listFiles('infra/prometheus/rules', '.yml');
export const RULE_TEST_FILES = listFiles('infra/prometheus/tests', '.yml');

/** The groups a test file loads, in the order of its rule files, beside the order it asks for. */
export function readGroupOrder(testFile: string): { readonly loaded: string[]; readonly asked: readonly string[] } {
  const { rule_files, group_eval_order = [] } = readYaml<TestFile>(testFile);
  const paths = rule_files.map((path) => join(dirname(testFile), path));
  const loaded = paths.flatMap((path) => readYaml<RuleFile>(path).groups.map(({ name }) => name));
  return { loaded, asked: group_eval_order };
}

export function readRules(): Rule[] {
  return RULE_FILES.flatMap((path) => readYaml<RuleFile>(path).groups.flatMap((group) => group.rules));
}

export type Alert = Rule & { readonly alert: string };

export function readAlerts(): Alert[] {
  return readRules().filter((rule): rule is Alert => rule.alert !== undefined);
}

/** How often each alert is shown to fire, and to stay quiet. */
export function countRuleTests(): Map<string, { firing: number; quiet: number }> {
  const counts = new Map<string, { firing: number; quiet: number }>();
  for (const path of RULE_TEST_FILES) {
    for (const { alertname, exp_alerts } of readYaml<TestFile>(path).tests.flatMap((test) => test.alert_rule_test)) {
      const count = counts.get(alertname) ?? { firing: 0, quiet: 0 };
      count[exp_alerts.length > 0 ? 'firing' : 'quiet'] += 1;
      counts.set(alertname, count);
    }
  }
  return counts;
}

export function runbookOf(alert: string): string {
  const words = alert.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
  return `docs/runbooks/${words.replace(/-p-?(\d+)$/, '-p$1')}.md`;
}
