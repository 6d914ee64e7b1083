import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until the answer is neither null, undefined nor false.
 *
 * @throws Error naming `what` when `withinMs` pass first.
 */
export async function waitUntil<Answer>(
  what: string,
  ask: () => Promise<Answer> | Answer,
  withinMs = 40_000,
  everyMs = 20,
): Promise<NonNullable<Answer>> {
  const until = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer as NonNullable<Answer>;
    if (performance.now() > until) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}
