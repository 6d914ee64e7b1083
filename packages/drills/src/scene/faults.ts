import type { Scene } from './scene.ts';

/** See the sandbox's README; what is left out matches everything. */
export type FaultOrder = Readonly<Record<string, string | number | boolean>>;

export interface OrderedFault {
  /** How often it struck. */
  fired(): Promise<number>;
  /** Harmless when it is gone already. */
  clear(): Promise<void>;
}

/** Orders a fault at the sandbox; it is cleared at the end at the latest. */
export async function orderFault(scene: Scene, order: FaultOrder): Promise<OrderedFault> {
  const { id } = await scene.sandbox.order<{ id: number }>('POST', '/faults', order);
  const list = async () =>
    (await scene.sandbox.order<{ faults: { id: number; fired: number }[] }>('GET', '/faults')).faults;
  let isCleared = false;
  const clear = async () => {
    if (isCleared) return;
    isCleared = true;
    await scene.sandbox.order('DELETE', `/faults?id=${id}`);
  };
  scene.cleanUp('the ordered fault', clear);
  return { fired: async () => (await list()).find((one) => one.id === id)?.fired ?? 0, clear };
}

/** When this account was asked for something, and how it was answered, the oldest first. Times in milliseconds. */
export async function listRequests(scene: Scene, email: string, operation?: RegExp) {
  const { recent } = await scene.sandbox.order<{
    recent: { at: string; user: string | null; operation: string; status: number }[];
  }>('GET', '/requests?recent=4000');
  return recent
    .filter((note) => note.user === email && (operation === undefined || operation.test(note.operation)))
    .map((note) => ({ atMs: Date.parse(note.at), operation: note.operation, status: note.status }));
}
