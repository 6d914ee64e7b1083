import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createCalsync } from './calsync-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'go-no-go-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Judged {
  readonly verdict: string;
  readonly items: readonly { readonly name: string; readonly verdict: string; readonly problems: readonly string[] }[];
}

async function judge(environment: Record<string, string>) {
  const { code, json } = await createCalsync(environment)('go-no-go', '--evidence', folder, '--json');
  return { code, ...json<Judged>() };
}

const find = ({ items }: Judged) => items.find(({ name }) => name === 'allowlist-set')?.verdict;

describe('go-no-go', () => {
  test.each([
    ['a database of one’s own', { DATABASE_URL: 'postgres://app@db.example/bookiji' }],
    ['such a database and an empty NODE_ENV', { DATABASE_URL: 'postgres://app@db.example/bookiji', NODE_ENV: '' }],
    ['NODE_ENV=production alone', { NODE_ENV: 'production' }],
  ])('[P-2] [F-2] with %s it is production, where nobody on the list is NO-GO', async (_, environment) => {
    expect(find(await judge(environment))).toBe('NO-GO');
  });

  test.each([
    ['nothing set, on the database of this checkout', {}],
    ['an empty DATABASE_URL', { DATABASE_URL: '' }],
    ['NODE_ENV=staging', { DATABASE_URL: 'postgres://app@db.example/bookiji', NODE_ENV: 'staging' }],
  ])('[P-2] with %s it is no production, and no list is asked for', async (_, environment) => {
    expect(find(await judge(environment))).toBeUndefined();
  });

  test('[P-2] without evidence is NO-GO in every item, with exit code 1', async () => {
    const { code, verdict, items } = await judge({});
    expect({ code, verdict }).toEqual({ code: 1, verdict: 'NO-GO' });
    expect(items.filter((item) => item.verdict === 'GO' && item.name !== 'source')).toEqual([]);
    expect(items.map(({ name }) => name)).not.toContain('allowlist-set');
  });

  test('[P-2] [F-2] in production asks for a provider allowlist as well', async () => {
    expect(find(await judge({ NODE_ENV: 'production' }))).toBe('NO-GO');
    const listed = { NODE_ENV: 'production', CALENDAR_ALLOWLIST_PROVIDER_IDS: '11111111-1111-4111-8111-111111111111' };
    expect(find(await judge(listed))).toBe('GO');
  });
});
