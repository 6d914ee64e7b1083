/** One process of one job: what a fault kills, freezes or tells to stop. */

/** Over when its time has come and so many steps were taken since. */
export interface Hold {
  readonly untilMs: number;
  stepsLeft: number;
}

export class Process {
  readonly name: string;
  readonly controller = new AbortController();
  readonly startedAtStep: number;
  isDead = false;
  frozen: Hold | null = null;
  clockSkewMs = 0;
  /** Called once when the process dies or falls silent, so that its job is given to another. */
  onSilence: (isDead: boolean) => void = () => undefined;

  constructor(name: string, startedAtStep: number) {
    this.name = name;
    this.startedAtStep = startedAtStep;
  }
}
