import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_DRILLS } from '../src/all-drills.ts';
import { findObstacles, runDrills } from '../src/run-drills.ts';
import { openRemoteTarget } from '../src/target/remote-target.ts';

/** Says yes to everything. */
let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"processed":true,"connections":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe('drills against a fleet that takes everything', () => {
  test('[P-1] all fail, whatever they can be played with', async () => {
    const target = openRemoteTarget({
      ingressUrl: url,
      opsUrl: url,
      sandboxUrl: url,
      apiToken: 'token',
      opsToken: 'token',
      providerIds: [],
    });
    const playable = ALL_DRILLS.filter((drill) => findObstacles(drill, target).length === 0);
    expect(playable.length).toBeGreaterThanOrEqual(5);
    const runs = await runDrills(playable, target, { now: () => new Date(), patienceMs: 200 });
    expect(runs.filter(({ verdict }) => verdict !== 'FAIL').map(({ drill }) => drill.name)).toEqual([]);
  });
});
