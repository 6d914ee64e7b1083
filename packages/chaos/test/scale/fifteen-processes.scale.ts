/** Three of ingress and twelve workers on one database: more processes do more, and nothing twice. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { planRun } from '../../src/plan/plan-run.ts';
import type { ChaosReport } from '../../src/report/report.ts';
import { CONVERGED_WITHIN_MS, runChaos } from '../../src/run-chaos.ts';
import type { Stage } from '../../src/stage/open-stage.ts';
import { FIFTEEN, stormSize } from './sizes.ts';

interface Turns {
  readonly name: string;
  readonly turns: number;
  /** The shortest time between two of them. */
  readonly gapMs: number;
  readonly owners: number;
}

/** Has the database itself write down every turn of a sweep. */
async function watchSweeps({ sql }: Stage): Promise<() => Promise<readonly Turns[]>> {
  await sql.unsafe(`
    CREATE TABLE turns (name text NOT NULL, owner text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE FUNCTION note_turn() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO turns (name, owner) VALUES (NEW.name, NEW.last_owner); RETURN NULL; END $$;
    CREATE TRIGGER note_turn AFTER UPDATE ON sweeps FOR EACH ROW EXECUTE FUNCTION note_turn()`);
  return () => sql<Turns[]>`
    SELECT name, count(*)::int AS turns, count(DISTINCT owner)::int AS owners,
           (extract(epoch FROM min(gap)) * 1000)::float8 AS "gapMs"
      FROM (SELECT *, at - lag(at) OVER (PARTITION BY name ORDER BY at) AS gap FROM turns) AS noted
     GROUP BY name ORDER BY name`;
}

describe('three of ingress and twelve workers', () => {
  let report: ChaosReport;
  let turns: readonly Turns[] = [];
  let seconds = 0;
  beforeAll(async () => {
    report = await runChaos(planRun(11, stormSize({})), {
      crew: FIFTEEN,
      async watch(stage) {
        const startedAt = performance.now();
        const read = await watchSweeps(stage);
        return async () => {
          turns = await read();
          seconds = (performance.now() - startedAt) / 1_000;
        };
      },
    });
  }, 300_000);

  test('[R-2] [O-3] [I-2] lose nothing and double nothing', () => {
    expect(report.verdict.findings).toEqual([]);
    expect(report.verdict.audited).toMatchObject({ bookings: 300 });
    expect(report.convergedAfterMs).toBeLessThan(CONVERGED_WITHIN_MS);
  });

  test('[R-2] sweep as often as one process would, each in its turn', () => {
    const often = turns.filter(({ name }) => ['due_bookings', 'due_connections'].includes(name));
    expect(often).toHaveLength(2);
    for (const sweep of often) {
      // An interval is a second here, and a turn lasts for four fifths of it.
      expect(sweep.gapMs).toBeGreaterThan(790);
      expect(sweep.turns).toBeLessThanOrEqual(Math.ceil(seconds / 0.8) + 1);
      expect(sweep.turns).toBeGreaterThan(5);
      expect(sweep.owners).toBeGreaterThan(1);
    }
  });
});
