/** Load by wrk: 64 keep-alive clients from one thread. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '@bookiji/local-fleet';

const SCRIPT = join(ROOT, 'packages', 'bench', 'src', 'ingress', 'notifications.lua');

export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Answers that were no success, and connections that broke. */
  readonly failures: number;
}

/** @param from the first message number; numbers are never used twice against one database. */
export async function runWrk(url: string, targetsFile: string, from: number, seconds: number): Promise<LoadReport> {
  const args = ['-t1', '-c64', `-d${seconds}s`, '--latency', '-s', SCRIPT, url, '--', targetsFile, String(from)];
  const { stdout } = await promisify(execFile)('wrk', args, { maxBuffer: 1 << 24 });
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout);
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(stdout);
  const requests = /(\d+) requests in/.exec(stdout);
  if (p99 === null || perSecond === null || requests === null) throw new Error(`wrk said something else:\n${stdout}`);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? '0';
  const broken = [...(/Socket errors: (.*)/.exec(stdout)?.[1]?.matchAll(/\d+/g) ?? [])].reduce(
    (sum, [count]) => sum + Number(count),
    0,
  );
  return {
    requests: Number(requests[1]),
    requestsPerSecond: Number(perSecond[1]),
    p99Ms: Number(p99[1]) * (p99[2] === 's' ? 1000 : p99[2] === 'us' ? 0.001 : 1),
    failures: Number(bad) + broken,
  };
}
