/** The fleet's processes as they show themselves; our own fleet only. */
import type { Role } from '@bookiji/local-fleet';
import type { Scene } from './scene.ts';

/** Resolves when the sweep of this name has been made so many times more. */
export async function untilSwept(
  scene: Scene,
  sweep: 'due_connections' | 'due_bookings',
  times: number,
): Promise<void> {
  const read = async () => {
    const [row] = await scene.owned.database.sql`SELECT last_at FROM sweeps WHERE name = ${sweep}`;
    return String(row?.last_at ?? '');
  };
  let last = await read();
  for (let count = 0; count < times; count += 1) {
    await scene.until(`the sweep ${sweep}`, async () => (await read()) !== last);
    last = await read();
  }
}

/** A number that one process exports: the sum over the samples whose labels match; 0 without any. */
export async function readSample(
  scene: Scene,
  role: Role,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${scene.owned.urls[role]}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Lines of a level that were written since `from` lines had been. */
export function countLines(scene: Scene, from: number, level: 'warn' | 'error'): number {
  return scene.owned.lines.slice(from).filter(({ line }) => line.includes(`"level":"${level}"`)).length;
}
