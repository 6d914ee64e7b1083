import type { Verdict } from '../audit/audit.ts';
import type { StruckFault } from '../faults/injector.ts';
import type { Handicap } from '../plan/handicap.ts';
import type { DoorCounts } from '../workload/booking-service.ts';
import type { ProviderFigures } from './measure.ts';

/** Everything that is known of a run when it is over; written as JSON and, for people, as Markdown. */
export interface ChaosReport {
  readonly seed: number;
  /** Of the plan; two runs with the same digest were asked to do the same. */
  readonly digest: string;
  readonly handicap: Handicap | null;
  readonly crew: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
  /** From the last fault to everything being up to date, milliseconds; null when it never was. */
  readonly convergedAfterMs: number | null;
  readonly seconds: Readonly<Record<'start' | 'play' | 'converge' | 'total', number>>;
  readonly workload: {
    readonly bookings: number;
    readonly intents: number;
    readonly handedIn: Readonly<Record<string, DoorCounts>>;
    /** Booking events that were published again after Redis had lost its jobs. */
    readonly saidAgain: number;
    readonly ownerActs: number;
    /** Everything that was sent to ingress as one: genuine, repeated, forged. */
    readonly notifications: number;
    /** Forged ones by the status they were answered; 0 when nobody answered. */
    readonly forgeries: Readonly<Record<string, number>>;
  };
  readonly faults: {
    readonly struck: readonly StruckFault[];
    readonly missed: number;
    /** Standing faults of the providers by name, how often each struck. */
    readonly providers: Readonly<Record<string, number>>;
  };
  readonly providers: ProviderFigures;
  /** The fleet's own counters. */
  readonly fleet: Readonly<Record<string, number>>;
}

/** How often each kind of process fault struck. */
export function countStruck({ faults }: ChaosReport): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults.struck) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export function sumOf(report: ChaosReport, metric: string, ...labels: readonly string[]): number {
  return Object.entries(report.fleet)
    .filter(([key]) => key.split(' ')[0] === metric && labels.every((label) => key.includes(label)))
    .reduce((sum, [, value]) => sum + value, 0);
}
