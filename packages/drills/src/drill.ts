import type { Scene } from './scene/scene.ts';

/** What a drill cannot do without; a target that lacks it is not drilled this way. */
export type Need =
  /** Operators' routes and a token for them. */
  | 'ops'
  /** Calendars whose owner can be played. */
  | 'sandbox'
  /** Stores and processes that belong to the drill, so that they may be taken away. */
  | 'owned';

/** One executable scenario. It passes when it observed at least one thing and everything it observed was as expected. */
export interface Drill {
  readonly name: string;
  /** One sentence: what holds when it passes. */
  readonly title: string;
  /** Ids of the requirements it executes. */
  readonly proves: readonly string[];
  readonly needs: readonly Need[];
  /** It takes something away that others need, so it runs alone. */
  readonly isDisruptive: boolean;
  /** Whatever it throws is a failed observation. */
  run(scene: Scene): Promise<void>;
}
