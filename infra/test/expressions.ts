/** Every PromQL expression of the repository, with the place it stands in. */
import { readRules } from './alert-rules.ts';
import { listFiles, readJson, readYamlDocuments } from './read-files.ts';

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}
export const dashboards = listFiles('infra/grafana/dashboards', '.json').map((path) => readJson<Dashboard>(path));

interface Trigger {
  readonly type: string;
  readonly metadata: { readonly query?: string };
}
const scalers = listFiles('infra/kubernetes', '.yml')
  .flatMap((path) => readYamlDocuments<{ kind: string; spec: { triggers?: Trigger[] } } | null>(path))
  .filter((document) => document?.kind === 'ScaledObject');

export const expressions: [string, string][] = [
  ...readRules().map((rule): [string, string] => [`rule ${rule.alert ?? rule.record}`, rule.expr]),
  ...dashboards.flatMap(({ uid, panels }) =>
    panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [`${uid}: ${title}`, expr])),
  ),
  ...scalers.flatMap((scaler, index) =>
    (scaler?.spec.triggers ?? []).flatMap(({ metadata: { query } }, at): [string, string][] =>
      query === undefined ? [] : [[`scaler ${index}.${at}`, query]],
    ),
  ),
];

/** Grafana's variables, as Grafana would fill them in. */
export function fillIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll('$calendar_provider', '.*');
}
