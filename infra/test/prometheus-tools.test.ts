/** Rules, routes and queries as the programs judge them that will run them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bringPrometheusTools } from '../../scripts/bring-tools.ts';
import { RULE_FILES, RULE_TEST_FILES, readAlerts } from './alert-rules.ts';
import { expressions, fillIn } from './expressions.ts';
import { ROOT, readYaml } from './read-files.ts';

const alerts = readAlerts();
const { receivers } = readYaml<{
  receivers: {
    pagerduty_configs?: { description: string; details: { description: string; runbook: string } }[];
    slack_configs?: { title: string; text: string }[];
  }[];
}>('infra/alertmanager/alertmanager.yml');
const tools = bringPrometheusTools();
if (tools === null && !process.env.CI) process.stderr.write('promtool is missing: its tests are left out\n');

// Left out where the tools cannot be had, except by CI, which fails then.
(tools === null && !process.env.CI ? describe.skip : describe)('as Prometheus and Alertmanager judge it', () => {
  let scratch = '';
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'calsync-rules-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const run = (tool: 'promtool' | 'amtool', ...args: string[]) => {
    if (tools === null) throw new Error('promtool and amtool are missing and could not be brought');
    const { status, stdout, stderr, error } = spawnSync(tools[tool], args, { cwd: ROOT, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}${error ?? ''}`.trim(), stdout: stdout.trim() };
  };

  test('[B-2] the configuration and the rules are valid', () => {
    const config = run('promtool', 'check', 'config', '--syntax-only', 'infra/prometheus/prometheus.yml');
    expect(config).toMatchObject({ status: 0 });
    expect(run('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', ...RULE_FILES)).toMatchObject({ status: 0 });
  });

  test.each(RULE_TEST_FILES)('[B-2] %s passes', (path) => {
    expect(run('promtool', 'test', 'rules', path)).toMatchObject({ status: 0 });
  });

  test('[B-3] every query of dashboards and scalers is PromQL', () => {
    const rules = expressions
      .filter(([where]) => !where.startsWith('rule '))
      .map(([where, expr], index) => ({ record: `checked:q${index}`, expr: fillIn(expr), labels: { where } }));
    const file = join(scratch, 'queries.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
    expect(rules.length).toBeGreaterThan(50);
    expect(run('promtool', 'check', 'rules', file)).toMatchObject({ status: 0 });
  });

  test('[B-2] the routes are valid, and each alert goes where it should', () => {
    const config = 'infra/alertmanager/alertmanager.yml';
    expect(run('amtool', 'check-config', config)).toMatchObject({ status: 0 });
    const cases = readYaml<{ labels: string[]; receiver: string }[]>('infra/alertmanager/routes.test.yml');
    const wanted = new Map([
      ['page', 'pager'],
      ['ticket', 'tickets'],
      ['none', 'heartbeat'],
    ]);
    for (const { alert, labels } of alerts) {
      const severity = labels?.severity ?? '';
      cases.push({ labels: [`alertname=${alert}`, `severity=${severity}`], receiver: wanted.get(severity) ?? '' });
    }
    for (const { labels, receiver } of cases) {
      const answer = run('amtool', 'config', 'routes', 'test', `--config.file=${config}`, ...labels);
      expect({ labels, receiver: answer.stdout }).toEqual({ labels, receiver });
    }
  });

  // PagerDuty refuses a blank summary with 400, and Alertmanager does not try a 400 again: nobody would be paged.
  test('[B-2] every text that a person is sent tells of each alert, although no two of them say the same', () => {
    const queues = ['calendar-inbound-sync', 'calendar-outbound-sync'];
    const data = {
      receiver: 'any',
      status: 'firing',
      alerts: queues.map((queue) => ({
        status: 'firing',
        labels: { alertname: 'CalendarCanaryStale', queue },
        annotations: {
          summary: `No canary came through ${queue}`,
          description: `The last one through ${queue} was long ago.`,
          runbook: `docs/runbooks/for-${queue}.md`,
        },
      })),
      groupLabels: { alertname: 'CalendarCanaryStale' },
      commonLabels: { alertname: 'CalendarCanaryStale' },
      commonAnnotations: {},
    };
    const file = join(scratch, 'alerts.json');
    writeFileSync(file, JSON.stringify(data));
    const render = (template: string) =>
      // amtool wants a file of templates too; one that matches nothing will do.
      run(
        'amtool',
        'template',
        'render',
        `--template.glob=${join(scratch, 'none*.tmpl')}`,
        `--template.data=${file}`,
        `--template.text=${template}`,
      ).stdout;

    const [pager] = receivers.flatMap(({ pagerduty_configs = [] }) => pagerduty_configs);
    const [slack] = receivers.flatMap(({ slack_configs = [] }) => slack_configs);
    for (const title of [pager?.description, slack?.title]) {
      const said = render(title ?? '');
      expect(said).toContain('CalendarCanaryStale');
      for (const queue of queues) expect(said).toContain(`No canary came through ${queue}`);
    }
    for (const text of [pager?.details.description, slack?.text]) {
      for (const queue of queues) expect(render(text ?? '')).toContain(`The last one through ${queue} was long ago.`);
    }
    for (const text of [pager?.details.runbook, slack?.text])
      expect(render(text ?? '')).toContain('docs/runbooks/for-');
  });
});
