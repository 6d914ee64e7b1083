import type { Slot } from '@bookiji/local-fleet';
import type { DrilledProvider } from './connect.ts';
import type { Scene } from './scene.ts';
import { isSameSlot } from './slots.ts';

/** Resolves when exactly these slots, of those asked, are free and the answer is trusted. Milliseconds. */
export function untilFree(
  scene: Scene,
  provider: Pick<DrilledProvider, 'providerId'>,
  asked: readonly Slot[],
  free: readonly Slot[],
): Promise<number> {
  return scene.until(`${free.length} of ${asked.length} stretches to be free`, async () => {
    const answer = await scene.ingress.availability(provider.providerId, asked);
    return answer.trusted && isSame(answer.free, free);
  });
}

function isSame(one: readonly Slot[], other: readonly Slot[]): boolean {
  return one.length === other.length && one.every((slot, index) => isSameSlot(slot, other[index] ?? slot));
}
