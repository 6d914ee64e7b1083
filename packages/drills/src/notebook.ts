/** What a drill writes down while it runs: what it did, and what it saw against what it expected. */

export type Figure = string | number | boolean | null;
export type Figures = Readonly<Record<string, Figure>>;

export interface Step {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly did: string;
  readonly figures: Figures;
}

export interface Observation {
  readonly at: string;
  /** Begins with the ids of the requirements it is about: `[W-4] a repeat is a duplicate`. */
  readonly what: string;
  readonly expected: unknown;
  readonly observed: unknown;
  readonly ok: boolean;
}

export interface Notebook {
  readonly steps: readonly Step[];
  readonly observations: readonly Observation[];
  did(what: string, figures?: Figures): void;
  /** Compared as JSON. Nothing secret belongs here: what is observed is written to the evidence. */
  saw(what: string, observed: unknown, expected: unknown): void;
  /** For expectations that are no single value: say the expectation in words and show what was observed. */
  judged(what: string, ok: boolean, observed: unknown, expected: string): void;
}

export type Verdict = 'PASS' | 'FAIL';

export function createNotebook(now: () => Date): Notebook {
  const steps: Step[] = [];
  const observations: Observation[] = [];
  const at = () => now().toISOString();
  return {
    steps,
    observations,
    did: (what, figures = {}) => void steps.push({ at: at(), did: what, figures }),
    saw(what, observed, expected) {
      const ok = JSON.stringify(observed) === JSON.stringify(expected);
      observations.push({ at: at(), what, expected, observed: observed ?? null, ok });
    },
    judged: (what, ok, observed, expected) =>
      void observations.push({ at: at(), what, expected, observed: observed ?? null, ok }),
  };
}

/** Passed when something was observed, nothing was otherwise than expected, and each requirement was looked at. */
export function verdictOf(observations: readonly Observation[], proves: readonly string[]): Verdict {
  const isAsExpected = observations.length > 0 && observations.every(({ ok }) => ok);
  return isAsExpected && findUnobserved(observations, proves).length === 0 ? 'PASS' : 'FAIL';
}

/** The requirements that no observation is about. */
export function findUnobserved(observations: readonly Observation[], proves: readonly string[]): string[] {
  return proves.filter((id) => !observations.some(({ what }) => idsOf(what).includes(id)));
}

function idsOf(what: string): string[] {
  const [ids = ''] = /^(\[[A-Z]-\d+\] ?)+/.exec(what) ?? [];
  return [...ids.matchAll(/\[([^\]]+)\]/g)].map(([, id = '']) => id);
}
