import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { refreshLeadSeconds } from './token-source.ts';

test('[A-1] a thousand tokens that expire together are refreshed over minutes, not in one second', () => {
  const leads = Array.from({ length: 1_000 }, () => refreshLeadSeconds(randomUUID(), 0));
  const perTenSeconds = new Map<number, number>();
  for (const lead of leads)
    perTenSeconds.set(Math.floor(lead / 10), (perTenSeconds.get(Math.floor(lead / 10)) ?? 0) + 1);
  // Four minutes, in each ten seconds of which about forty are due.
  expect(Math.min(...leads)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...leads)).toBeLessThan(300);
  expect(perTenSeconds.size).toBe(24);
  expect(Math.max(...perTenSeconds.values())).toBeLessThan(100);
});

test('[A-1] whoever asks about a token, it is due at the same time; its successor at another', () => {
  const connectionId = randomUUID();
  expect(refreshLeadSeconds(connectionId, 7)).toBe(refreshLeadSeconds(connectionId, 7));
  expect(refreshLeadSeconds(connectionId, 7)).not.toBe(refreshLeadSeconds(connectionId, 8));
});
