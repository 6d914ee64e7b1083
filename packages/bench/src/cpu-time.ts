/** Where the machine's time goes: CPU seconds of processes by what they are. Read from `/proc`, so on Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/**
 * User and system time that a process and its children have used, in seconds; 0 where it cannot be read. Of children that
 * ended it is their parent that tells: sessions of PostgreSQL come and go, and what they used must not go with them.
 */
export function cpuSecondsOf(pid: number): number {
  if (pid === 0) return 0;
  const times = readTimes();
  const family = new Set([pid]);
  let size = 0;
  while (size !== family.size) {
    size = family.size;
    for (const [child, { parent }] of times) if (family.has(parent)) family.add(child);
  }
  return [...family].reduce((sum, member) => sum + (times.get(member)?.seconds ?? 0), 0);
}

function readTimes(): Map<number, { parent: number; seconds: number }> {
  const times = new Map<number, { parent: number; seconds: number }>();
  let names: string[] = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return times;
  }
  for (const name of names) {
    try {
      // The program's name stands in brackets and may hold anything; what is counted stands behind it.
      const [, tail = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      const fields = tail.split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const seconds = ticks / TICKS_PER_SECOND;
      times.set(Number(name), { parent: Number(fields[1]), seconds });
    } catch {
      // It ended meanwhile.
    }
  }
  return times;
}

/** Watches these processes from now on. @returns says what each has used since, microseconds per one of `count`. */
export function watchCpu(pids: Readonly<Record<string, number>>): (count: number) => Record<string, number> {
  const watched = Object.entries(pids).map(([name, pid]) => [name, pid, cpuSecondsOf(pid)] as const);
  return (count) =>
    Object.fromEntries(
      watched.map(([name, pid, before]) => [name, Math.round(((cpuSecondsOf(pid) - before) * 1e6) / count)]),
    );
}
