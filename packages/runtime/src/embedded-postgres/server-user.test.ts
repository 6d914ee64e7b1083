import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { makeReachableDir, reachableDir, serverUser } from './server-user.ts';

const user = serverUser();
const open = makeReachableDir('calsync-open-');
const closed = mkdtempSync(join(tmpdir(), 'calsync-closed-'));
const elsewhere: string[] = [];
afterAll(() => {
  for (const dir of [open, closed, ...elsewhere]) rmSync(dir, { recursive: true, force: true });
});

// Everybody but root runs the server as himself, and has nobody to let through.
(user === null ? test.skip : test)('a run that removes its folder removes the data of its database with it', () => {
  if (user === null) return;
  expect(reachableDir(join(open, 'postgres'), user)).toBe(join(open, 'postgres'));
  const away = reachableDir(join(closed, 'postgres'), user);
  elsewhere.push(join(away, '..'));
  expect(away.startsWith(closed)).toBe(false);
});
