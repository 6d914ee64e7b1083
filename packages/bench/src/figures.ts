/** What a benchmark says: figures, and ratios against a baseline that ran beside it. */
import { percentile } from '@bookiji/testing';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface Ratio {
  readonly name: string;
  readonly value: number;
  /** What the ratio is held to; the run fails when it is missed. */
  readonly target: { readonly atLeast: number } | { readonly atMost: number };
}

export interface BenchResult {
  readonly bench: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly about: string;
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  /** Where a figure was read over and over: seconds since the run began, and value. */
  readonly series?: readonly {
    readonly name: string;
    readonly unit: string;
    readonly points: readonly (readonly [seconds: number, value: number])[];
  }[];
}

export interface Bench {
  readonly name: string;
  /** One sentence: what is measured against what. */
  readonly about: string;
  /** A missed ratio fails the run, gate or not. */
  readonly isVerdict?: boolean;
  run(stage: Stage): Promise<Pick<BenchResult, 'figures' | 'ratios' | 'series'>>;
}

/** The servers of one run, all on this machine. */
export interface Stage {
  readonly redisUrl: string;
  /** The servers' main processes; 0 where it is not known. */
  readonly pids: { readonly postgres: number; readonly redis: number };
  /** Folder for CPU profiles of the processes that are measured; null when none are wanted. */
  readonly profileDir: string | null;
  /** `--scale`: of long benchmarks, how much of them is played; 1 for all. */
  readonly scale: number;
  /** `--minutes`: how long a soak lasts. */
  readonly minutes: number;
  /** For long work: what is going on. */
  readonly say: (line: string) => void;
}

export function isMet({ value, target }: Ratio): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
