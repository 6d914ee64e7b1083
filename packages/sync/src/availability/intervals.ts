/** Interval algebra. Half-open `[startAt, endAt)`, UTC; an interval without length holds nothing. All pure. */
export interface Interval {
  readonly startAt: Date;
  readonly endAt: Date;
}

/** The union as the fewest disjoint intervals, in order; touching ones become one. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter(hasLength).sort((a, b) => a.startAt.getTime() - b.startAt.getTime());
  const merged: { startAt: Date; endAt: Date }[] = [];
  for (const next of sorted) {
    const last = merged.at(-1);
    if (last === undefined || next.startAt > last.endAt) merged.push({ startAt: next.startAt, endAt: next.endAt });
    else if (next.endAt > last.endAt) last.endAt = next.endAt;
  }
  return merged;
}

/** What is left of each slot when the busy time is taken away. Slots stay apart, even where they touch. */
export function subtractBusy(slots: readonly Interval[], busy: readonly Interval[]): Interval[] {
  const blocks = mergeIntervals(busy);
  return slots.filter(hasLength).flatMap((slot) => subtractFromSlot(slot, blocks));
}

function subtractFromSlot(slot: Interval, blocks: readonly Interval[]): Interval[] {
  const free: Interval[] = [];
  let from = slot.startAt;
  for (const block of blocks) {
    if (block.endAt <= from) continue;
    if (block.startAt >= slot.endAt) break;
    if (block.startAt > from) free.push({ startAt: from, endAt: block.startAt });
    from = block.endAt;
  }
  if (from < slot.endAt) free.push({ startAt: from, endAt: slot.endAt });
  return free;
}

/** The parts of the slots that the busy time takes, merged. */
export function intersectBusy(slots: readonly Interval[], busy: readonly Interval[]): Interval[] {
  const blocks = mergeIntervals(busy);
  const taken = slots.flatMap((slot) =>
    blocks.map((block) => ({
      startAt: block.startAt > slot.startAt ? block.startAt : slot.startAt,
      endAt: block.endAt < slot.endAt ? block.endAt : slot.endAt,
    })),
  );
  return mergeIntervals(taken);
}

function hasLength(interval: Interval): boolean {
  return interval.endAt > interval.startAt;
}
