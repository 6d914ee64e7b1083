import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sealToken } from '@bookiji/sync';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createCalsync } from './calsync-harness.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly found: string;
  readonly fix: string | null;
}

let database: TestDatabase;
let providers: Server;
let healthy: Record<string, string>;
beforeAll(async () => {
  database = await createTestDatabase();
  // Any answer is an answer.
  providers = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => providers.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(providers.address() as AddressInfo).port}`;
  const addresses = ['GOOGLE_API_BASE_URL', 'GOOGLE_AUTHORIZE_URL', 'GOOGLE_TOKEN_URL', 'GOOGLE_REVOKE_URL'];
  const flags = ['SYNC', 'OAUTH', 'JOBS', 'WEBHOOK'].map((name) => `CALENDAR_${name}_ENABLED`);
  healthy = {
    DATABASE_URL: database.url,
    PUBLIC_BASE_URL: 'https://calendar.example',
    ...Object.fromEntries(
      [...addresses, 'MICROSOFT_GRAPH_BASE_URL', 'MICROSOFT_LOGIN_BASE_URL'].map((name) => [name, url]),
    ),
    ...Object.fromEntries(flags.map((flag) => [flag, 'true'])),
    ...Object.fromEntries(['API_TOKENS', 'OPS_TOKENS', 'CHANNEL_SECRETS'].map((name) => [name, 'x'.repeat(32)])),
    ...Object.fromEntries(
      ['GOOGLE', 'MICROSOFT'].flatMap((at) => [
        [`${at}_CLIENT_ID`, 'id'],
        [`${at}_CLIENT_SECRET`, 'secret'],
      ]),
    ),
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    CALENDAR_ALLOWLIST_PROVIDER_IDS: '11111111-1111-4111-8111-111111111111',
  };
});
afterAll(async () => {
  providers.close();
  await database.drop();
});

async function examine(over: Record<string, string> = {}, now?: () => Date) {
  const run = await createCalsync({ ...healthy, ...over }, now)('doctor', '--json');
  const { findings } = run.json<{ findings: Finding[] }>();
  return { ...run, findings, of: (check: string) => findings.find((one) => one.check === check) };
}

describe('the doctor', () => {
  test('finds nothing broken where all is well, and says only that no process is seen', async () => {
    const warned = ({ findings }: { findings: Finding[] }) =>
      findings.filter(({ status }) => status === 'warn').map(({ check }) => check);
    let seen = await examine();
    // Two clocks look apart to who stands still between them.
    for (let turn = 1; turn < 4 && warned(seen).some((check) => check.includes('clock')); turn += 1)
      seen = await examine();
    expect(seen.findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(warned(seen)).toEqual(['processes']);
    expect(seen.code).toBe(0);
  });

  test.each<[string, Record<string, string>, string]>([
    ['settings', { API_TOKENS: '' }, 'missing: API_TOKENS'],
    ['settings', { SWEEP_INTERVAL_MS: 'often' }, 'SWEEP_INTERVAL_MS must be'],
    ['database', { DATABASE_URL: 'postgres://app@127.0.0.1:1/none' }, 'ECONNREFUSED'],
    ['queue', { REDIS_URL: 'redis://127.0.0.1:1' }, 'Redis'],
    ['Google sign-in', { GOOGLE_AUTHORIZE_URL: 'http://127.0.0.1:1' }, '127.0.0.1:1 does not answer'],
    ['Microsoft sign-in', { MICROSOFT_LOGIN_BASE_URL: 'http://127.0.0.1:1' }, '127.0.0.1:1 does not answer'],
  ])(
    'names %s as broken (%j) and says what to do',
    async (check, over, words) => {
      const { code, of } = await examine(over);
      expect(of(check)).toMatchObject({ status: 'fail', found: expect.stringContaining(words) });
      expect(of(check)?.fix).toBeTruthy();
      expect(code).toBe(1);
    },
    180_000,
  );

  test.each<[string, Record<string, string>]>([
    ['flags', { CALENDAR_SYNC_ENABLED: 'false' }],
    ['allowlist', { CALENDAR_ALLOWLIST_PROVIDER_IDS: '' }],
    ['public address', { PUBLIC_BASE_URL: 'http://127.0.0.1:8080' }],
  ])('warns of %s (%j) without failing', async (check, over) => {
    const { code, of } = await examine(over);
    expect(of(check)).toMatchObject({ status: 'warn' });
    expect(code).toBe(0);
  });

  test('names a clock that is off, by how much and whose', async () => {
    const { code, findings } = await examine({}, () => new Date(Date.now() + 3_600_000));
    const clocks = findings.filter(({ check, status }) => check.includes('clock') && status === 'fail');
    expect(clocks.length).toBeGreaterThanOrEqual(2);
    expect(clocks[0]?.found).toMatch(/^3[56]\d\d\.\d s behind ours$/);
    expect(code).toBe(1);
  });

  test('names a schema that is not current, with the command that fixes it', async () => {
    const older = await createTestDatabase();
    await older.sql`DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)`;
    const { of } = await examine({ DATABASE_URL: older.url });
    await older.drop();
    expect(of('schema')).toMatchObject({ status: 'fail', fix: 'npm run calsync -- migrate up' });
  });

  test('[A-1] names keys that are missing and keys that only wait to be replaced', async () => {
    const older = { id: 'k0', key: randomBytes(32) };
    const { id } = await insertConnection(database.sql);
    const sealed = sealToken('token', { connectionId: id, field: 'access_token' }, [older]);
    await database.sql`UPDATE external_calendar_connections SET access_token_sealed = ${sealed} WHERE id = ${id}`;
    expect((await examine()).of('keys')).toMatchObject({ status: 'fail', found: expect.stringContaining('k0') });
    const keys = `${healthy.TOKEN_ENCRYPTION_KEYS},k0:${older.key.toString('base64')}`;
    const { of } = await examine({ TOKEN_ENCRYPTION_KEYS: keys });
    expect(of('keys')).toMatchObject({ status: 'warn', fix: expect.stringContaining('reseal') });
    await database.sql`DELETE FROM external_calendar_connections`;
  });
});
