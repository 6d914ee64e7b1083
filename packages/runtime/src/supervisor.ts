/**
 * Keeps the processes of a fleet alive: one that dies comes back with a growing delay, and all end together. Never two
 * of one role.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface SupervisedProcess {
  readonly role: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface SupervisorEvents {
  /** One line that a process wrote. */
  readonly onLine: (role: string, line: string, stream: 'stdout' | 'stderr') => void;
  readonly onExit: (
    role: string,
    how: { code: number | null; signal: string | null; restartMs: number | null },
  ) => void;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;
/** After this long up, a death is a new one and not part of a row. */
const STABLE_AFTER_MS = 30_000;
const KILL_AFTER_MS = 15_000;

export interface Supervisor {
  /** Starts these (all). */
  start(roles?: readonly string[]): void;
  /** Ends everything: SIGTERM, after fifteen seconds SIGKILL. */
  stop(): Promise<void>;
  readonly pids: () => ReadonlyMap<string, number>;
}

export function superviseProcesses(processes: readonly SupervisedProcess[], events: SupervisorEvents): Supervisor {
  const children = new Map<string, ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  let isStopping = false;

  const launch = (process_: SupervisedProcess, delayMs: number) => {
    const startedAt = performance.now();
    const child = spawn(process_.command, process_.args, {
      env: { ...process_.env, CALSYNC_SUPERVISED: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the whole terminal group; the supervisor alone decides the order of stopping.
      detached: true,
    });
    children.set(process_.role, child);
    for (const stream of ['stdout', 'stderr'] as const) {
      const pipe = child[stream];
      if (pipe !== null)
        createInterface({ input: pipe }).on('line', (line) => events.onLine(process_.role, line, stream));
    }
    child.once('error', () => child.emit('exit', null, null));
    child.once('exit', (code, signal) => {
      children.delete(process_.role);
      const wasStable = performance.now() - startedAt > STABLE_AFTER_MS;
      const restartMs = isStopping ? null : wasStable ? FIRST_DELAY_MS : delayMs;
      events.onExit(process_.role, { code, signal, restartMs });
      if (restartMs === null) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        launch(process_, Math.min(restartMs * 2, LONGEST_DELAY_MS));
      }, restartMs);
      timers.add(timer);
    });
  };

  return {
    start: (roles) => {
      for (const process_ of processes) if (roles?.includes(process_.role) ?? true) launch(process_, FIRST_DELAY_MS);
    },
    async stop() {
      isStopping = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...children.values()].map(endChild));
    },
    pids: () => new Map([...children].flatMap(([role, child]) => (child.pid === undefined ? [] : [[role, child.pid]]))),
  };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}
