/** What watches the fleet speaks of metrics that exist, and of nothing else; what it says has a runbook. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { countRuleTests, RULE_TEST_FILES, readAlerts, readGroupOrder, readRules, runbookOf } from './alert-rules.ts';
import { readDocumentedMetrics, valuesIn } from './documented-metrics.ts';
import { findExported, listExportedMetrics } from './exported-metrics.ts';
import { dashboards, expressions } from './expressions.ts';
import { listLabelValues } from './label-values.ts';
import { findGroupings, findRates, findRecorded, findSelectors } from './promql.ts';
import { listFiles, ROOT, readJson, readText, readYaml } from './read-files.ts';

const metrics = listExportedMetrics();
const alerts = readAlerts();
const recorded = new Set(readRules().flatMap((rule) => rule.record ?? []));

/** Added by the scrape and by the registry. */
const TARGET_LABELS = ['job', 'instance', 'role'];

describe('names', () => {
  test.each(expressions)('[B-1] %s reads metrics that are exported, with labels they have', (_where, expression) => {
    const groupings = new Set(findGroupings(expression));
    const known = new Set([...TARGET_LABELS, 'le']);
    for (const { name, matchers } of findSelectors(expression)) {
      const metric = findExported(metrics, name);
      expect({ name, isExported: metric !== undefined }).toEqual({ name, isExported: true });
      const labels = [...(metric?.labels ?? []), ...TARGET_LABELS, ...(name.endsWith('_bucket') ? ['le'] : [])];
      expect(labels).toEqual(expect.arrayContaining([...matchers.keys()]));
      // Processes and their sum hold the same names: without a job everything would count twice.
      expect(matchers.get('job')).toMatch(/^calsync(-fleet)?$/);
      for (const label of labels) known.add(label);
    }
    for (const name of findRecorded(expression)) expect([...recorded]).toContain(name);
    if (findRecorded(expression).length === 0) expect([...known]).toEqual(expect.arrayContaining([...groupings]));
    for (const { of, name } of findRates(expression)) {
      expect(findExported(metrics, name)?.type === 'gauge' ? 'delta' : 'rate').toBe(of === 'delta' ? 'delta' : 'rate');
    }
  });

  test('[B-1] every exported metric is documented with its type and labels, and nothing else is', () => {
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    const documented = readDocumentedMetrics().map(({ name, type, labels }) => ({ name, type, labels }));
    expect(documented.sort(byName)).toEqual(
      metrics.map(({ name, type, labels }) => ({ name, type, labels: [...labels] })).sort(byName),
    );
  });

  test.each([...listLabelValues()])(
    '[B-1] the documented values of the labels of %s are those of the code',
    (name, known) => {
      const { meaning = '' } = readDocumentedMetrics().find((metric) => metric.name === name) ?? {};
      for (const [label, values] of Object.entries(known)) {
        expect(values.length).toBeGreaterThan(1);
        expect({ label, values: valuesIn(meaning, label).sort() }).toEqual({ label, values: [...values].sort() });
      }
    },
  );

  test('[B-3] every exported metric is on a dashboard', () => {
    const rules = new Map(readRules().map((rule) => [rule.record, rule.expr]));
    const shown = dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) =>
        targets.flatMap(({ expr }) => [expr, ...findRecorded(expr).map((name) => rules.get(name) ?? '')]),
      ),
    );
    const names = shown.flatMap(findSelectors).map(({ name }) => findExported(metrics, name)?.name);
    expect(metrics.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([]);
  });

  test('the job names are those that Prometheus scrapes under', () => {
    const { scrape_configs } = readYaml<{ scrape_configs: { job_name: string }[] }>('infra/prometheus/prometheus.yml');
    expect(scrape_configs.map(({ job_name }) => job_name)).toEqual(['calsync', 'calsync-fleet', 'prometheus']);
  });
});

describe('alerts', () => {
  test.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '[B-2] %s says how bad it is, what happened, and where its runbook is',
    (name, { labels, annotations }) => {
      expect(['page', 'ticket', 'none']).toContain(labels?.severity);
      expect(annotations?.summary).toBeTruthy();
      expect(annotations?.description).toBeTruthy();
      expect(annotations?.runbook).toBe(runbookOf(name));
      expect(existsSync(join(ROOT, runbookOf(name)))).toBe(true);
      for (const heading of ['means', 'notice', 'look', 'do', 'over']) {
        expect(readText(runbookOf(name))).toMatch(new RegExp(`^## .*${heading}$`, 'm'));
      }
    },
  );

  test('[B-2] every alert is shown to fire and to stay quiet', () => {
    const counts = countRuleTests();
    const missing = alerts
      .map(({ alert }) => ({ alert, firing: 0, quiet: 0, ...counts.get(alert) }))
      .filter(({ alert, firing, quiet }) => firing === 0 || (quiet === 0 && alert !== 'CalendarWatchdog'));
    expect(missing).toEqual([]);
    expect([...counts.keys()].filter((name) => !alerts.some(({ alert }) => alert === name))).toEqual([]);
  });

  // promtool takes groups in any order otherwise: an alert would be judged before what it reads is recorded.
  test.each(RULE_TEST_FILES)('[B-2] %s says in which order its groups are judged', (path) => {
    const { loaded, asked } = readGroupOrder(path);
    expect(asked).toEqual(loaded.length > 1 ? loaded : []);
  });

  test('every file of ours that runbooks name is there', () => {
    for (const path of listFiles('docs/runbooks', '.md')) {
      const named = [...readText(path).matchAll(/`((?:infra|docs|migrations|packages|apps)\/[\w./-]+)`/g)].map(
        ([, name = '']) => name,
      );
      for (const name of named) expect([path, name, existsSync(join(ROOT, name))]).toEqual([path, name, true]);
    }
  });

  test('every runbook belongs to an alert or stands in the index, and every link leads somewhere', () => {
    const index = readText('docs/runbooks/README.md');
    for (const path of listFiles('docs/runbooks', '.md')) {
      const links = [...readText(path).matchAll(/\]\(([^)#:]+\.md)\)/g)].map(([, link = '']) => link);
      for (const link of links) expect([link, existsSync(join(ROOT, dirname(path), link))]).toEqual([link, true]);
      if (path.endsWith('README.md')) continue;
      const isOfAlert = alerts.some(({ alert }) => normalize(runbookOf(alert)) === path);
      const file = path.split('/').at(-1) ?? '';
      expect({ path, isListed: index.includes(`(${file})`) }).toEqual({ path, isListed: true });
      expect({ path, isKnown: isOfAlert || index.split('## Alerts')[0]?.includes(`(${file})`) }).toEqual({
        path,
        isKnown: true,
      });
    }
  });

  test('inhibition names alerts and labels that exist', () => {
    const { inhibit_rules } = readYaml<{ inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[] }>(
      'infra/alertmanager/alertmanager.yml',
    );
    const matchers = inhibit_rules.flatMap((rule) => [...rule.source_matchers, ...rule.target_matchers]);
    for (const matcher of matchers.filter((text) => text.startsWith('alertname'))) {
      const pattern = /^alertname=~?"(.*)"$/.exec(matcher)?.[1] ?? '';
      expect([matcher, alerts.some(({ alert }) => new RegExp(`^(${pattern})$`).test(alert))]).toEqual([matcher, true]);
    }
  });
});

describe('runbooks', () => {
  test("every operator's command in them exists", () => {
    const named = listFiles('docs/runbooks', '.md').flatMap((path) =>
      [
        ...readText(path)
          .replace(/\s+/g, ' ')
          .matchAll(/npm run calsync -- ([a-z-]+) ?([a-z-]*)/g),
      ].map(([, command = '', next = '']) => [command, next] as const),
    );
    expect(named.length).toBeGreaterThan(20);
    const help = new Map<string, string>();
    const helpOf = (command: string) => {
      const known = help.get(command) ?? runCli(command === '' ? ['--help'] : [command, '--help']);
      help.set(command, known);
      return known;
    };
    for (const [command, next] of named) {
      expect(helpOf('')).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
      if (/^[a-z]/.test(next)) expect(helpOf(command)).toMatch(new RegExp(`^ {2}${next}\\b`, 'm'));
    }
  });
});

function runCli(args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--conditions=@bookiji/source',
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'apps/cli/src/main.ts'),
      ...args,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' } },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

describe('dashboards', () => {
  test('[B-3] ids are unique, panels have titles and units, and the data source can be chosen', () => {
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
    expect(dashboards.map(({ uid }) => uid)).toEqual(
      ['fleet', 'freshness', 'ingress', 'providers', 'queues'].map((name) => `calsync-${name}`),
    );
    for (const { panels, templating } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      expect(templating.list.map(({ name }) => name)).toContain('datasource');
      for (const panel of panels) {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
        expect(panel).toMatchObject({ title: expect.stringMatching(/\S/), datasource: { uid: '${datasource}' } });
        expect(panel.fieldConfig.defaults.unit).toBeTruthy();
      }
    }
  });
});

describe('Datadog', () => {
  interface Monitor {
    readonly name: string;
    readonly query: string;
    readonly message: string;
    readonly options: { readonly thresholds: { readonly critical: number } };
  }
  const monitors = listFiles('infra/datadog/monitors', '.json').map((path) => [path, readJson<Monitor>(path)] as const);

  test('[B-2] there is a monitor for each line of the requirement, and for what a restart would hide', () => {
    expect(monitors.map(([path]) => path.split('/').at(-1)?.replace('.json', ''))).toEqual([
      'items-off-average',
      'process-restarting',
      'sweeps-failing',
      'sync-failure-ratio',
      'sync-failures',
      'sync-latency-p95',
      'sync-latency-p99',
      'sync-stopped',
    ]);
  });

  test.each(monitors)('[B-2] %s asks for metrics that are exported and names a runbook', (_path, monitor) => {
    const { namespace } = readYaml<{ instances: { namespace: string }[] }>('infra/datadog/openmetrics.yml')
      .instances[0] ?? {
      namespace: '',
    };
    const names = [...monitor.query.matchAll(/:(\w+)\.(calendar_\w+?)(\.count)?\{/g)];
    // Restarts are counted by the cluster, whose metric this is.
    if (!monitor.query.includes(':kubernetes.containers.restarts{')) expect(names.length).toBeGreaterThan(0);
    for (const [, prefix, name, isCount] of names) {
      expect(prefix).toBe(namespace);
      const metric = metrics.find((one) => one.name === name || one.name === `${name}_total`);
      expect([name, metric?.type === 'counter']).toEqual([name, isCount !== undefined]);
      expect(metric).toBeDefined();
    }
    const threshold = Number(/[<>]=? ([\d.]+)$/.exec(monitor.query)?.[1]);
    expect(threshold).toBe(monitor.options.thresholds.critical);
    const runbook = /docs\/runbooks\/[a-z0-9-]+\.md/.exec(monitor.message)?.[0] ?? 'none';
    expect([runbook, existsSync(join(ROOT, runbook))]).toEqual([runbook, true]);
  });
});
