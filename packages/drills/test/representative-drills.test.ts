import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Drill } from '../src/drill.ts';
import { malformedNotifications } from '../src/drills/malformed-notifications.ts';
import { migrationsVerified } from '../src/drills/migrations-verified.ts';
import { noSecretsInLogs } from '../src/drills/no-secrets-in-logs.ts';
import { outboundSync } from '../src/drills/outbound-sync.ts';
import { readEvidence } from '../src/evidence/evidence-folder.ts';
import { playDrills } from '../src/play-drills.ts';
import { runDrill } from '../src/run-drill.ts';
import { startLocalTarget } from '../src/target/local-target.ts';
import type { LogLine, OwnedFleet, Target } from '../src/target/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
const options = { now: () => new Date(), patienceMs: 60_000 };
let target: Target;
beforeAll(async () => {
  target = await startLocalTarget({ environment: process.env });
}, 180_000);
afterAll(async () => {
  await target?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

describe('drills against a fleet of their own', () => {
  test('[P-1] [B-3] pass, clean up, leave evidence, and no process logged anything private', async () => {
    const drills: readonly Drill[] = [malformedNotifications, outboundSync, migrationsVerified, noSecretsInLogs];
    const { evidence, skipped } = await playDrills(drills, target, {
      ...options,
      evidenceFolder: () => folder,
      readSource: () => ({ commit: '1'.repeat(40), isClean: true }),
    });
    const failed = evidence.flatMap((one) =>
      one.observations.filter(({ ok }) => !ok).map(({ what }) => [one.drill, what]),
    );
    expect(failed).toEqual([]);
    expect(evidence.map(({ verdict }) => verdict)).toEqual(drills.map(() => 'PASS'));
    expect(skipped).toEqual([]);
    for (const { name } of drills) {
      expect(readEvidence(folder, name).json).toContain(`"drill": "${name}"`);
      expect(readEvidence(folder, name).markdown).toContain(`# ${name}: PASS`);
    }
    const { sql } = (target.owned as OwnedFleet).database;
    const left = await sql`
      SELECT (SELECT count(*) FROM external_calendar_connections)::int AS connections,
             (SELECT count(*) FROM dead_letters)::int AS letters,
             (SELECT count(*) FROM booking_intents
               WHERE state = 'live' OR details ?| ARRAY['notes', 'attendee'])::int AS bookings`;
    expect([...left]).toEqual([{ connections: 0, letters: 0, bookings: 0 }]);
  }, 180_000);

  test('[B-3] one private word in one line is found, and said without being repeated', async () => {
    const word = target.privateWords.keep('title', 'Haircut of Robin Doe');
    const lines = target.owned?.lines as LogLine[];
    lines.push({ role: 'ops', line: `{"level":"debug","msg":"looked at ${word}"}` });
    const { verdict, observations } = await runDrill(noSecretsInLogs, target, options);
    lines.pop();
    expect(verdict).toBe('FAIL');
    expect(observations[0]?.observed).toEqual([{ role: 'ops', kinds: ['title'] }]);
    expect(JSON.stringify(observations)).not.toContain(word);
  }, 180_000);
});
