import { describe, expect, test } from '@jest/globals';
import { rememberProofs } from './remember-proofs.ts';

function setUp(generation?: number) {
  const asked: string[] = [];
  const isProven = rememberProofs((channelId, proof) => {
    asked.push(channelId);
    return proof === `proof of ${channelId}` || proof === `older proof of ${channelId}`;
  }, generation);
  return { asked, isProven };
}

describe('[W-2] proofs that are remembered', () => {
  test('a pair is proven once, then compared', () => {
    const { asked, isProven } = setUp();
    expect([isProven('a', 'proof of a'), isProven('a', 'proof of a')]).toEqual([true, true]);
    expect(asked).toEqual(['a']);
  });

  test('knowing the right proof makes no other one right', () => {
    const { isProven } = setUp();
    isProven('a', 'proof of a');
    expect([isProven('a', 'proof of b'), isProven('a', ''), isProven('b', 'proof of a')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('a channel that was opened under an older secret goes on being proven beside a newer one', () => {
    const { isProven } = setUp();
    expect([isProven('a', 'proof of a'), isProven('a', 'older proof of a')]).toEqual([true, true]);
  });

  test('what is wrong is never kept, what is used stays, what is not is forgotten', () => {
    const { asked, isProven } = setUp(2);
    isProven('kept', 'proof of kept');
    for (const id of ['x', 'y', 'z']) isProven(id, 'wrong');
    for (const id of ['b', 'c', 'd', 'e']) {
      isProven(id, `proof of ${id}`);
      isProven('kept', 'proof of kept');
    }
    expect(asked.filter((id) => id === 'kept')).toHaveLength(1);
    isProven('b', 'proof of b');
    expect(asked.filter((id) => id === 'b')).toHaveLength(2);
  });
});
