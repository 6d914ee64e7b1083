/** How a process reaches the world: each thing it asks for is a step that the schedule takes, refuses or loses. */
import type { CalendarPort, Operation } from '@bookiji/providers/contract';
import { type ModelCalendar, providerError } from './calendar.ts';
import type { Machine } from './machine.ts';
import type { Process } from './process.ts';
import type { Step } from './step.ts';
import { ConnectionLost, type Gate } from './store/model-database.ts';

type Failure = Parameters<Step['fail']>[0];
type FailureFacts = Parameters<typeof providerError>[2];

/** Statements, one step each. A lost connection is told the same way, whether the statement took effect or not. */
export function gateOf(machine: Machine, process: Process): Gate {
  return (label, effect) =>
    new Promise((resolve, reject) => {
      machine.ask({
        kind: 'statement',
        label,
        process,
        run: async () => {
          try {
            resolve(await effect());
          } catch (error) {
            reject(error);
          }
        },
        runUnheard: async () => {
          await Promise.resolve()
            .then(effect)
            .catch(() => undefined);
        },
        fail: (reason) => reject(new ConnectionLost(reason)),
      });
    });
}

/** A ring: best effort, and never a reason to fail. */
export function ringOf(machine: Machine, process: Process, label: string, ring: () => void): Promise<void> {
  return new Promise((resolve) => {
    const run = () => {
      ring();
      resolve();
    };
    machine.ask({ kind: 'ring', label, process, run, runUnheard: ring, fail: () => resolve() });
  });
}

/** The calendar as one process reaches it. */
export function portOf(machine: Machine, process: Process, calendar: ModelCalendar): CalendarPort {
  const { calendarProvider } = calendar.rules;
  const call = <T>(operation: Operation, signal: AbortSignal, effect: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      // A signal with listeners outlives its run, and the run with it.
      const forget = () => signal.removeEventListener('abort', giveUp);
      const fail = (facts: FailureFacts) => {
        forget();
        reject(providerError(calendarProvider, operation, facts));
      };
      const giveUp = () => fail({ kind: 'transient', reason: 'aborted', outcomeUnknown: true });
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp);
      machine.ask({
        kind: 'request',
        label: operation,
        process,
        run: () => {
          forget();
          try {
            resolve(effect());
          } catch (error) {
            reject(error);
          }
        },
        runUnheard: () => ignoreErrors(effect),
        fail: (reason) => fail(FAILURES[reason]),
        forget,
      });
    });
  const unsupported = (): never => {
    throw new Error('channels are not simulated');
  };
  return {
    calendarProvider,
    listChanges: (request, signal) => call('list_changes', signal, () => calendar.listChanges(request)),
    getEvent: (eventId, signal) => call('get_event', signal, () => calendar.getEvent(eventId)),
    findEvent: (key, signal) => call('find_event', signal, () => calendar.findEvent(key)),
    createEvent: (draft, signal) => call('create_event', signal, () => calendar.createEvent(draft)),
    updateEvent: (target, draft, signal) => call('update_event', signal, () => calendar.updateEvent(target, draft)),
    deleteEvent: (target, signal) => call('delete_event', signal, () => calendar.deleteEvent(target)),
    openChannel: unsupported,
    renewChannel: unsupported,
    closeChannel: unsupported,
    listChannels: unsupported,
  };
}

const FAILURES = {
  refused: { kind: 'transient', reason: 'http_503', status: 503 },
  rate_limited: { kind: 'rate_limited', reason: 'rateLimitExceeded', status: 429, retryAfterMs: 30_000 },
  answer_lost: { kind: 'transient', reason: 'connection_reset', outcomeUnknown: true },
  timeout: { kind: 'transient', reason: 'timeout', outcomeUnknown: true },
} as const satisfies Record<Failure, FailureFacts>;

function ignoreErrors(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // Nobody is listening any more.
  }
}
