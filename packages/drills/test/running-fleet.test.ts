/** Drills against a fleet that runs already: what it says of itself becomes part of the evidence. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunningFleet, startTestFleet } from '../../local-fleet/test/fleet-harness.ts';
import { malformedNotifications } from '../src/drills/malformed-notifications.ts';
import { playDrills } from '../src/play-drills.ts';
import { openRemoteTarget } from '../src/target/remote-target.ts';

const COMMIT = 'c0ffee1234'.repeat(4);
let fleet: RunningFleet;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calsync-evidence-'));
  fleet = await startTestFleet({ CALSYNC_COMMIT: COMMIT });
}, 180_000);
afterAll(async () => {
  await fleet?.close();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

test('[P-1] [P-2] the evidence of a running fleet names the commit that all its processes run', async () => {
  const { ingress, ops, sandbox } = fleet.urls;
  const target = (opsUrl: string | null) =>
    openRemoteTarget({
      ingressUrl: ingress,
      opsUrl,
      sandboxUrl: sandbox,
      apiToken: fleet.environment.API_TOKENS ?? '',
      opsToken: fleet.opsToken,
      providerIds: [],
    });
  const { evidence } = await playDrills([malformedNotifications], target(ops), {
    now: () => new Date(),
    evidenceFolder: () => folder,
    readSource: () => ({ commit: COMMIT, isClean: true }),
  });
  expect(evidence).toMatchObject([{ verdict: 'PASS', target: { kind: 'remote', commits: [COMMIT] } }]);
  expect(await target(null).readCommits()).toBeNull();
}, 180_000);
