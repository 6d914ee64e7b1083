/** What the tests of either adapter hand to it: tokens, the time, a window, a draft. */
import type { EventDraft, TokenSource } from '../src/contract/index.ts';

export interface TestTokens extends TokenSource {
  readonly rejections: string[];
}

export function testTokens(token = 'token-1'): TestTokens {
  const rejections: string[] = [];
  return { rejections, accessToken: async () => token, rejected: (refused) => rejections.push(refused) };
}

export const NOW = new Date('2026-11-20T09:00:00Z');
export const WINDOW = { startAt: new Date('2026-11-19T00:00:00Z'), endAt: new Date('2027-02-19T00:00:00Z') };
export const signal = new AbortController().signal;

export function buildDraft(changes: Partial<EventDraft> = {}): EventDraft {
  return {
    key: { googleEventId: '0123456789abcdef0123456789abcdef', transactionId: '0f6dd2b0-6b1e-5f3a-9d57-0a4f4f7f0001' },
    marker: {
      bookingId: '6f1d9f5e-2d0f-4c67-9c0e-3b8f3f6f2a10',
      connectionId: '0b9c3d44-7f53-4f0e-8a51-5a52a7cbb0aa',
      generation: 0,
      version: 1,
    },
    icalUid: 'x@bookiji',
    title: 'Haircut',
    description: 'notes',
    location: 'Main street 1',
    startAt: new Date('2026-11-24T09:00:00Z'),
    endAt: new Date('2026-11-24T10:00:00Z'),
    timeZone: 'America/Toronto',
    ...changes,
  };
}
