import { type Allowlists, type Database, readSwitches } from '@bookiji/db';
import { isAllowed, isFlagOn, type Switches } from './decide.ts';
import { FLAG_NAMES, type FlagCeiling, type FlagName } from './flag-names.ts';
import { findSwitchedOff, SHADOW_SWITCH } from './switch-names.ts';

/** What a process asks at every entry point. Answers come from memory and are at most `refreshMs` old. */
export interface FlagBoard {
  isOn(name: FlagName): boolean;
  /** True unless an operator switched this off: `provider:google`, `queue:calendar-outbound-sync`. */
  isSwitchOn(name: string): boolean;
  /** True while an operator wants outbound writes planned and logged instead of made. */
  isShadowing(): boolean;
  allows(subject: { readonly providerId?: string; readonly connectionId?: string }): boolean;
  /** For statements that filter: the lists of the environment without what operators switched off. */
  readonly allowlists: Allowlists;
  effective(): Record<FlagName, boolean>;
  /** Reads the switches now; throws when the database does not answer. */
  refresh(): Promise<void>;
  /** Calls `listener` after every reading; returns what ends that. */
  onRefresh(listener: () => void): () => void;
  /** Reads the switches, then goes on reading them every `refreshMs`. */
  start(): Promise<void>;
  stop(): void;
}

export interface FlagBoardOptions {
  readonly ceiling: FlagCeiling;
  readonly db: Database;
  /** How old an answer may be, milliseconds (500); the promise to operators is two seconds. */
  readonly refreshMs?: number;
  /** Told when the switches could not be read; the last known ones stay in force. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Keeps the switches of the database beside the ceiling of the environment. While the database is away the last known
 * switches hold: what an operator switched off stays off.
 */
export function createFlagBoard(options: FlagBoardOptions): FlagBoard {
  const { ceiling, db, refreshMs = 500, onError = () => undefined } = options;
  let switches: Switches = new Map();
  let timer: NodeJS.Timeout | undefined;
  const listeners = new Set<() => void>();

  const refresh = async () => {
    switches = await readSwitches(db);
    for (const listener of listeners) listener();
  };
  const schedule = () => {
    timer = setTimeout(() => void refresh().catch(onError).finally(scheduleUnlessStopped), refreshMs);
    timer.unref();
  };
  const scheduleUnlessStopped = () => {
    if (timer !== undefined) schedule();
  };

  return {
    isOn: (name) => isFlagOn(name, ceiling, switches),
    isSwitchOn: (name) => switches.get(name) !== false,
    isShadowing: () => switches.get(SHADOW_SWITCH) === true,
    allows: (subject) => isAllowed(subject, ceiling),
    get allowlists() {
      return {
        providerIds: ceiling.providerIds,
        connectionIds: ceiling.connectionIds,
        calendarProvidersOff: findSwitchedOff('provider', switches),
        connectionIdsOff: findSwitchedOff('connection', switches),
      };
    },
    effective: () =>
      Object.fromEntries(FLAG_NAMES.map((name) => [name, isFlagOn(name, ceiling, switches)])) as Record<
        FlagName,
        boolean
      >,
    refresh,
    onRefresh: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: async () => {
      await refresh();
      schedule();
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
