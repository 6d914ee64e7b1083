import type { CalendarProvider, Operation } from '../contract/index.ts';

/** What a policy knows of a call: who is asked for what. Never the arguments. */
export interface ProviderCall {
  readonly calendarProvider: CalendarProvider;
  readonly operation: Operation;
  readonly signal: AbortSignal;
}

/**
 * Something that happens around a call: a limit of time or number, a repeat, a count. It knows no method of the port, so
 * one serves all of them, and OAuth as well.
 *
 * @param next goes on inwards; at most a few times, each with a signal that aborts when `call.signal` does.
 */
export type Policy = <T>(call: ProviderCall, next: (signal: AbortSignal) => Promise<T>) => Promise<T>;
