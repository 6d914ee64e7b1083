import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_KINDS } from '@bookiji/providers/contract';
import { describe, expect, test } from '@jest/globals';
import { explainError } from './explain-error.ts';

const error = (kind: string, reason = 'someReason', status?: number) => ({
  kind,
  reason,
  at: '2026-11-24T09:00:00Z',
  ...(status === undefined ? {} : { status }),
});
const reasons = ['breaker_open', 'timeout', 'connection_reset', 'name_not_resolved', 'backendError'];
const all = [
  ...[...ERROR_KINDS, 'internal', 'something new'].map((kind) => error(kind)),
  ...reasons.map((reason) => error('transient', reason)),
];

describe('[I-5] an error in plain words', () => {
  test.each(all)('$kind/$reason says what it means, what to do, and where that stands', (one) => {
    const { what, todo, runbook } = explainError(one, 'microsoft');
    expect(what).toMatch(/^[A-Z].{20,}\.$/);
    expect(todo).toMatch(/^[A-Z].{10,}\.$/);
    // Plain: no word of the machine's own.
    expect(`${what} ${todo}`).not.toMatch(/_|transient|undefined|null/);
    expect(existsSync(fileURLToPath(new URL(`../../../../docs/runbooks/${runbook}.md`, import.meta.url)))).toBe(true);
  });

  test('names the calendar provider and the status', () => {
    expect(explainError(error('transient', 'backendError', 503), 'google').what).toBe(
      'Google is having trouble: it answered with an error of its own (HTTP 503).',
    );
    expect(explainError(error('rate_limited'), 'microsoft').what).toContain('Microsoft asked us to slow down');
  });

  test('tells different troubles apart', () => {
    expect(new Set(all.map((one) => explainError(one, 'google').what)).size).toBeGreaterThanOrEqual(11);
  });
});
