import type { RequirementId } from './requirements.ts';
import type { Scene } from './scene/scene.ts';
import type { Need } from './target/target.ts';

/**
 * `calm` ones disturb nobody and are played several at a time; `alone` takes something away that others need; `last`
 * looks at what all the others left behind.
 */
export type Phase = 'calm' | 'alone' | 'last';

/** One executable scenario. It passes when everything that it observed was as expected. */
export interface Drill {
  readonly name: string;
  /** One sentence: what holds when it passes. */
  readonly title: string;
  /** The requirements it executes; each must be named by an observation, or the drill fails. */
  readonly proves: readonly RequirementId[];
  readonly needs: readonly Need[];
  readonly phase: Phase;
  /** Whatever it throws is a failed observation. */
  run(scene: Scene): Promise<void>;
}
