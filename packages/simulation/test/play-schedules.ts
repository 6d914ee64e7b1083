import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FaultKind } from '../src/index.ts';
import type { CalendarProvider, Tally } from './schedules.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const OUTPUT_AT_MOST = 256 * 2 ** 20;

/** As `runSeeds`, in a process of its own. */
export async function playSchedules(
  calendarProvider: CalendarProvider,
  fromSeed: number,
  count: number,
): Promise<Tally> {
  const flags = ['--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning'];
  const script = [...flags, '--import=./scripts/quick-imports.mjs', 'packages/simulation/test/run-schedules.ts'];
  const args = [...script, calendarProvider, String(fromSeed), String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, maxBuffer: OUTPUT_AT_MOST });
  const tally = JSON.parse(stdout) as Omit<Tally, 'struck'> & { struck: [FaultKind, number][] };
  return { ...tally, struck: new Map(tally.struck) };
}
