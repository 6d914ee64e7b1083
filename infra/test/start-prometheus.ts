/** A real Prometheus around a fleet on this machine: the deployment's own configuration, with other targets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FLEET_ROLES, type LocalFleet, waitUntil } from '@bookiji/local-fleet';
import { findFreePort } from '@bookiji/runtime';
import { RULE_FILES } from './alert-rules.ts';
import { readText, readYaml } from './read-files.ts';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

export interface RunningPrometheus {
  /** An instant query. Throws on a query that is refused. */
  query(expression: string): Promise<Series[]>;
  /** Any other question to its API; what stands in `data`. */
  ask<Data>(path: string): Promise<Data>;
  stop(): Promise<void>;
}

interface Configuration {
  global: Record<string, string>;
  rule_files: string[];
  alerting?: unknown;
  scrape_configs: Record<string, unknown>[];
}

/** @throws Error with its last words when it does not come up. */
export async function startPrometheus(program: string, fleet: LocalFleet): Promise<RunningPrometheus> {
  const scratch = mkdtempSync(join(tmpdir(), 'calsync-prometheus-'));
  const port = await findFreePort();
  writeConfiguration(scratch, fleet, port);
  const words: string[] = [];
  const child = spawn(
    program,
    [
      `--config.file=${join(scratch, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(scratch, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = (await (await fetch(`${url}${path}`)).json()) as { status: string; data: Data; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const stop = () => end(child, scratch);
  try {
    await waitUntil('Prometheus', () => isUp(child, `${url}/-/ready`), 30_000, 100);
  } catch {
    await stop();
    throw new Error(`Prometheus did not come up: ${words.join('').slice(-2_000)}`);
  }
  return {
    ask,
    stop,
    query: async (expression) =>
      (await ask<{ result: Series[] }>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result,
  };
}

/** Sees every process every second, and judges the rules as often. */
function writeConfiguration(scratch: string, fleet: LocalFleet, ownPort: number): void {
  const configuration = readYaml<Configuration>('infra/prometheus/prometheus.yml');
  const targets: Record<string, string[]> = {
    calsync: FLEET_ROLES.map((role) => new URL(fleet.urls[role]).host),
    'calsync-fleet': [new URL(fleet.urls.ops).host],
    prometheus: [`127.0.0.1:${ownPort}`],
  };
  mkdirSync(join(scratch, 'rules'));
  for (const path of RULE_FILES) {
    // A group of its own slow pace would be judged for the first time long after the test.
    writeFileSync(join(scratch, 'rules', basename(path)), readText(path).replace(/^ {4}interval: .*$/m, ''));
  }
  writeFileSync(join(scratch, 'ops_token'), fleet.opsToken, { mode: 0o600 });
  const { alerting: _, ...rest } = configuration;
  const scrape_configs = configuration.scrape_configs.map(({ dns_sd_configs: _names, ...job }) => ({
    ...job,
    static_configs: [{ targets: targets[String(job.job_name)] }],
    ...(job.authorization === undefined ? {} : { authorization: { credentials_file: join(scratch, 'ops_token') } }),
  }));
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  // JSON is YAML.
  writeFileSync(join(scratch, 'prometheus.yml'), JSON.stringify({ ...rest, global, scrape_configs }));
}

async function isUp(child: ChildProcess, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error('it ended');
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function end(child: ChildProcess, scratch: string): Promise<void> {
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(scratch, { recursive: true, force: true });
}
