/** What a drill plays on: the target, the notebook, patience, and what is to be cleaned up afterwards. */
import { randomBytes } from 'node:crypto';
import { type IngressClient, type SandboxClient, waitUntil } from '@bookiji/local-fleet';
import type { Notebook } from '../notebook.ts';
import type { OpsClient } from '../target/ops-client.ts';
import type { PrivateKind } from '../target/private-words.ts';
import type { OwnedFleet, Target } from '../target/target.ts';

export interface Scene {
  readonly target: Target;
  readonly notes: Notebook;
  readonly ingress: IngressClient;
  /** These three throw where the drill did not say that it needs them. */
  readonly ops: OpsClient;
  readonly sandbox: SandboxClient;
  readonly owned: OwnedFleet;
  /**
   * Asks until the answer is neither null, undefined nor false.
   *
   * @returns how long it took, milliseconds.
   * @throws Error naming `what` when patience ends.
   */
  until(what: string, ask: () => Promise<unknown> | unknown): Promise<number>;
  /** A word that was never used before and may be found in no log. */
  invent(kind: PrivateKind, word: string): string;
  /** Done at the end, the last first, whatever became of the drill. */
  cleanUp(what: string, work: () => Promise<unknown>): void;
}

export interface CleanUp {
  readonly what: string;
  readonly work: () => Promise<unknown>;
}

/** Often enough for figures, seldom enough to leave the fleet its processor. */
const ASK_EVERY_MS = 50;

/** @param patienceMs how long anything is waited for. */
export function createScene(
  target: Target,
  notes: Notebook,
  patienceMs: number,
): { scene: Scene; cleanUps: readonly CleanUp[] } {
  const cleanUps: CleanUp[] = [];
  const scene: Scene = {
    target,
    notes,
    ingress: target.ingress,
    get ops() {
      return present("operators' routes", target.ops);
    },
    get sandbox() {
      return present('a sandbox', target.sandbox);
    },
    get owned() {
      return present('a fleet of its own', target.owned);
    },
    async until(what, ask) {
      const startedAt = performance.now();
      await waitUntil(what, ask, patienceMs, ASK_EVERY_MS);
      return Math.round(performance.now() - startedAt);
    },
    invent: (kind, word) => target.privateWords.keep(kind, `${word} ${randomBytes(6).toString('hex')}`),
    cleanUp: (what, work) => void cleanUps.push({ what, work }),
  };
  return { scene, cleanUps };
}

function present<T>(what: string, value: T | null): T {
  if (value === null) throw new Error(`this drill needs ${what}`);
  return value;
}
