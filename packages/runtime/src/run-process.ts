/**
 * How every process of the fleet starts and stops: parts start in order and stop in reverse; SIGTERM drains (no new
 * work, work in flight finished) and exits 0; a start that fails says why in one line and exits 1.
 */
import { SettingsError } from './settings.ts';

/** Something that was started and must be stopped. */
export interface Part {
  readonly name: string;
  stop(): Promise<void>;
}

export interface ProcessContext {
  /** Registers a part; parts are stopped last-in, first-out. */
  own(part: Part): void;
  /** Aborts when the time for finishing work in flight is over. */
  readonly deadline: AbortSignal;
  /** Ends the process with an error, in an orderly way. */
  fail(error: unknown): void;
}

export interface ProcessOptions {
  readonly role: string;
  readonly start: (context: ProcessContext) => Promise<void>;
  /** Work in flight may take this long after SIGTERM, milliseconds (12000). */
  readonly drainMs?: number;
}

/** What is in flight in a process that failed is given so long, milliseconds. */
const FAILED_DRAIN_MS = 2_000;
/** Stopping may take so much longer than the work in flight, milliseconds. */
const HANG_MS = 2_000;

export async function runProcess(options: ProcessOptions): Promise<void> {
  const parts: Part[] = [];
  const deadline = new AbortController();
  let stopping: Promise<void> | undefined;

  const stop = (exitCode: number, drainMs = options.drainMs ?? 12_000) => {
    if (stopping === undefined) {
      // A part that waits for a store which never answers must not keep the process: half done, so never with 0.
      setTimeout(() => process.exit(exitCode || 1), drainMs + HANG_MS).unref();
      stopping = stopAll(parts, deadline, drainMs).finally(() => process.exit(exitCode));
    }
    return stopping;
  };
  const fail = (error: unknown) => {
    process.stderr.write(`${options.role}: ${describeFailure(error)}\n`);
    void stop(1, Math.min(FAILED_DRAIN_MS, options.drainMs ?? FAILED_DRAIN_MS));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second wish to stop is one to stop now.
      if (stopping !== undefined && signal === 'SIGINT') process.exit(130);
      void stop(0);
    });
  }
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
  exitWithParent(() => void stop(0));

  try {
    await options.start({ own: (part) => parts.push(part), deadline: deadline.signal, fail });
  } catch (error) {
    fail(error);
  }
}

async function stopAll(parts: Part[], deadline: AbortController, drainMs: number): Promise<void> {
  const timer = setTimeout(() => deadline.abort(new Error('the time for finishing work in flight is over')), drainMs);
  for (const part of parts.reverse()) {
    try {
      await part.stop();
    } catch (error) {
      process.stderr.write(`stopping ${part.name}: ${describeFailure(error)}\n`);
    }
  }
  clearTimeout(timer);
}

/** A supervised process has a pipe from its supervisor; when that closes, the supervisor is gone. */
function exitWithParent(stop: () => void): void {
  if (process.env.CALSYNC_SUPERVISED !== '1') return;
  process.on('disconnect', stop);
}

/** One line, naming what the operator can put right. */
export function describeFailure(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  const { code, port, address } = error as { code?: string; port?: number; address?: string };
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use`;
  if (code === 'EACCES' && port !== undefined) return `port ${port} may not be opened by this user`;
  return `${error.name}: ${error.message.split('\n')[0]}`;
}
