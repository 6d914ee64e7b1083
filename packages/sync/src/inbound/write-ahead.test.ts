import { describe, expect, test } from '@jest/globals';
import type { FoldedPage } from './fold-changes.ts';
import { createPageWriter } from './write-ahead.ts';

function pageOf(ids: readonly string[], resetSeriesIds: readonly string[] = []): FoldedPage {
  return { puts: [], dropIds: ids, resetSeriesIds, suspectBookingIds: [] };
}

/** A store whose writes end when they are told to. */
function createStore() {
  const begun: { ids: string; end: () => void; fail: (error: Error) => void }[] = [];
  const write = (page: FoldedPage) =>
    new Promise<{ putCount: number; droppedCount: number }>((resolve, reject) => {
      const end = () => resolve({ putCount: 0, droppedCount: page.dropIds.length });
      begun.push({ ids: page.dropIds.join(), end, fail: reject });
    });
  return { begun, write, ids: () => begun.map((one) => one.ids) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('createPageWriter', () => {
  test('[I-1] writes two pages at once, and the third when one of them is done', async () => {
    const store = createStore();
    const writer = createPageWriter(store.write);
    await writer.add(pageOf(['a']));
    let hasRoom = false;
    const second = writer.add(pageOf(['b'])).then(() => {
      hasRoom = true;
    });
    await settle();
    expect([store.ids(), hasRoom]).toEqual([['a', 'b'], false]);
    store.begun[1]?.end();
    await second;
    void writer.add(pageOf(['c']));
    await settle();
    expect(store.ids()).toEqual(['a', 'b', 'c']);
    for (const one of store.begun) one.end();
    await expect(writer.end()).resolves.toEqual({ putCount: 0, droppedCount: 3 });
  });

  test.each([
    ['speaks of the same event', pageOf(['a'])],
    ['resets a series', pageOf(['b'], ['series'])],
  ])('[I-1] a page that %s waits until the earlier one is written', async (_, later) => {
    const store = createStore();
    const writer = createPageWriter(store.write);
    await writer.add(pageOf(['a']));
    const added = writer.add(later);
    await settle();
    expect(store.ids()).toEqual(['a']);
    store.begun[0]?.end();
    await added;
    expect(store.begun).toHaveLength(2);
  });

  test('a page that could not be written fails the round', async () => {
    const store = createStore();
    const writer = createPageWriter(store.write);
    await writer.add(pageOf(['a']));
    store.begun[0]?.fail(new Error('no'));
    await settle();
    await expect(writer.end()).rejects.toThrow('no');
  });
});
