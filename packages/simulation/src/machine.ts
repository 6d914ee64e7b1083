/**
 * One thread, one clock, one step at a time. Processes run the real stories; whatever they ask of the world becomes a
 * step that waits until the schedule takes it. Between two steps everything that can happen without the world has
 * happened. Time moves only when nothing else can.
 */
import { canStrike, type Fault, type FaultKind } from './faults.ts';
import { type Hold, Process } from './process.ts';
import type { Random } from './random.ts';
import type { Step } from './step.ts';
import { max, min, NEVER, PROVIDER_TIMEOUT_MS } from './timing.ts';

/** Turns of the microtask queue; the longest way from one question to the next takes about thirty. */
const TURNS_UNTIL_SILENT = 60;
const TURNS_AFTER_ASKING = 8;
const TURN = Promise.resolve();

/** A call whose caller gives up at that time. */
interface Call {
  readonly step: Step;
  readonly givesUpAt: number;
}

interface Timer {
  readonly process: Process;
  readonly everyMs: number;
  readonly fire: () => void;
  dueAt: number;
}

export interface MachineOptions {
  readonly random: Random;
  readonly faults: readonly Fault[];
  readonly isTraced: boolean;
}

/** Where the world can offer steps that no process asked for, and knows when it will. */
export interface World {
  steps(now: number): Step[];
  /** The next instant at which something is due; infinity when nothing will be. */
  nextAt(now: number): number;
  flush(): void;
  expireCursors(): void;
}

export class Machine {
  now: number;
  stepCount = 0;
  readonly trace: string[] = [];
  /** Which faults struck. */
  readonly struck: FaultKind[] = [];
  /** At which steps they did. */
  readonly struckAt: number[] = [];
  readonly #options: MachineOptions;
  #steps: Step[] = [];
  #late: { step: Step; hold: Hold }[] = [];
  #timers: Timer[] = [];
  #calls: Call[] = [];
  #frozen: Process[] = [];
  #faults: Fault[];
  #current: Process | null = null;
  #eventCount = 0;
  readonly #startAt: number;

  constructor(startAt: number, options: MachineOptions) {
    this.now = startAt;
    this.#startAt = startAt;
    this.#options = options;
    this.#faults = [...options.faults];
  }

  /** Starts a process in a step of the schedule; the steps it asks for are its own. */
  start(name: string, story: (process: Process) => Promise<void>): Process {
    const process = new Process(`${name}#${this.stepCount}`, this.stepCount);
    this.#current = process;
    void story(process).finally(() => {
      this.#eventCount += 1;
      this.#forget(process);
    });
    return process;
  }

  ask(step: Step): void {
    this.#eventCount += 1;
    if (step.process?.isDead !== true) this.#steps.push(step);
  }

  /** Takes steps until nothing is left to do, or `limit` steps were taken. False when there was more. */
  async runUntilQuiet(world: World, limit: number): Promise<boolean> {
    while (this.stepCount < limit) {
      const steps = this.#takeable(world);
      if (steps.length > 0) await this.#take(this.#options.random.pick(steps), world);
      else if (!this.#passTime(world)) return true;
    }
    return false;
  }

  /** Lets time pass in which nothing happens. */
  passUntil(instant: number): void {
    this.now = max(this.now, instant);
  }

  #takeable(world: World): Step[] {
    const steps = world.steps(this.now);
    // Mostly there is nothing of a kind, and a step is taken a hundred million times.
    if (this.#calls.length > 0) {
      const givenUp = this.#calls.filter((call) => call.givesUpAt <= this.now && isAwake(call.step.process));
      steps.unshift(...givenUp.map((call) => this.#giveUpStep(call)));
    }
    if (this.#timers.length > 0) {
      const overdue = this.#timers.filter((timer) => timer.dueAt <= this.now && isAwake(timer.process));
      if (overdue.length > 0) steps.unshift(...overdue.map((timer) => this.#timerStep(timer)));
    }
    if (this.#late.length > 0) {
      const late = this.#late.filter(({ hold }) => hold.untilMs <= this.now && hold.stepsLeft <= 0);
      steps.unshift(...late.map((one) => this.#lateStep(one)));
    }
    const own = this.#frozen.length === 0 ? this.#steps : this.#steps.filter((step) => isAwake(step.process));
    if (steps.length === 0) return own;
    return own.length === 0 ? steps : [...own, ...steps];
  }

  async #take(step: Step, world: World): Promise<void> {
    this.stepCount += 1;
    if (this.#steps.length > 0) this.#steps = this.#steps.filter((other) => other !== step);
    this.#current = step.process;
    const eventsBefore = this.#eventCount;
    const fault =
      this.#faults.length === 0
        ? undefined
        : this.#faults.find((one) => one.atStep <= this.stepCount && canStrike(one.kind, step));
    if (this.#options.isTraced) this.#note(step, fault);
    if (fault === undefined) await step.run();
    else await this.#strike(fault, step, world);
    // What happens in the world asks its questions at once.
    if (step.process !== null) await this.#settle(eventsBefore);
    this.#countDown();
  }

  async #strike(fault: Fault, step: Step, world: World): Promise<void> {
    this.#faults = this.#faults.filter((other) => other !== fault);
    this.struck.push(fault.kind);
    this.struckAt.push(this.stepCount);
    const { process } = step;
    switch (fault.kind) {
      case 'crash_before':
        return this.#kill(process, step);
      case 'crash_after':
        await step.runUnheard();
        return this.#kill(process, step);
      case 'crash_sent':
        this.#delay(step, fault);
        return this.#kill(process, step);
      case 'freeze_before':
        this.#steps.push(step);
        this.#freeze(process, this.#holdFor(fault));
        return process?.onSilence(false);
      case 'freeze_after':
        this.#freeze(process, this.#holdFor(fault));
        process?.onSilence(false);
        return void (await step.run());
      case 'refuse':
        return step.fail('refused');
      case 'rate_limit':
        return step.fail('rate_limited');
      case 'lose_answer':
        await step.runUnheard();
        return step.fail('answer_lost');
      case 'arrive_late':
        this.#delay(step, fault);
        return void this.#calls.push({ step, givesUpAt: this.now + PROVIDER_TIMEOUT_MS });
      case 'shut_down':
        this.#steps.push(step);
        return process?.controller.abort(new Error('the process is told to stop'));
      case 'clock_jump':
        if (process !== null) process.clockSkewMs += 300_000;
        return void (await step.run());
      case 'drop':
        return step.fail('answer_lost');
      case 'double':
        await step.runUnheard();
        return void (await step.run());
      case 'flush':
        world.flush();
        return void (await step.run());
      case 'expire_cursors':
        world.expireCursors();
        return void (await step.run());
    }
  }

  #kill(process: Process | null, taken: Step): void {
    if (process === null) return;
    process.isDead = true;
    taken.forget?.();
    for (const step of [...this.#steps, ...this.#calls.map((call) => call.step)])
      if (step.process === process) step.forget?.();
    this.#forget(process);
    process.onSilence(true);
  }

  #freeze(process: Process | null, hold: Hold): void {
    if (process === null) return;
    process.frozen = hold;
    this.#frozen.push(process);
  }

  #delay(step: Step, fault: Fault): void {
    this.#late.push({ step, hold: this.#holdFor(fault) });
  }

  #holdFor(fault: Fault): Hold {
    return { untilMs: this.now + fault.awayMs, stepsLeft: fault.wakeAfterSteps };
  }

  #forget(process: Process): void {
    this.#steps = this.#steps.filter((step) => step.process !== process);
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
    this.#calls = this.#calls.filter(({ step }) => step.process !== process);
  }

  #lateStep(one: { step: Step; hold: Hold }): Step {
    const run = () => {
      this.#late = this.#late.filter((other) => other !== one);
      return one.step.runUnheard();
    };
    return { kind: 'late', label: one.step.label, process: null, run, runUnheard: run, fail: () => undefined };
  }

  #timerStep(timer: Timer): Step {
    const run = () => {
      timer.dueAt = this.now + timer.everyMs;
      timer.fire();
    };
    return { kind: 'timer', label: 'fires', process: timer.process, run, runUnheard: run, fail: () => undefined };
  }

  #giveUpStep(call: Call): Step {
    const run = () => {
      this.#calls = this.#calls.filter((other) => other !== call);
      call.step.fail('timeout');
    };
    const { label, process } = call.step;
    return { kind: 'timer', label: `time-out of ${label}`, process, run, runUnheard: run, fail: () => undefined };
  }

  /** Holds whose time has come count the steps of others. */
  #countDown(): void {
    if (this.#late.length === 0 && this.#frozen.length === 0) return;
    for (const { hold } of this.#late) if (hold.untilMs <= this.now) hold.stepsLeft -= 1;
    for (const process of this.#frozen) {
      if (process.frozen === null || process.frozen.untilMs > this.now) continue;
      process.frozen.stepsLeft -= 1;
      if (process.frozen.stepsLeft < 0) process.frozen = null;
    }
    this.#frozen = this.#frozen.filter(({ frozen }) => frozen !== null);
  }

  /** Nothing can happen now: wake whom no steps of others will wake, or go to the next instant. False when all is quiet. */
  #passTime(world: World): boolean {
    const waiting = [...this.#late.map(({ hold }) => hold), ...this.#frozen.flatMap(({ frozen }) => frozen ?? [])];
    const over = waiting.filter(({ untilMs }) => untilMs <= this.now);
    if (over.length > 0) {
      for (const hold of over) hold.stepsLeft = 0;
      for (const process of this.#frozen) if (over.includes(process.frozen as Hold)) process.frozen = null;
      this.#frozen = this.#frozen.filter(({ frozen }) => frozen !== null);
      return true;
    }
    const next = min(
      world.nextAt(this.now),
      ...waiting.map(({ untilMs }) => untilMs),
      ...this.#timers.filter(({ process }) => process.frozen === null).map(({ dueAt }) => dueAt),
      ...this.#calls.filter(({ step }) => step.process?.frozen === null).map(({ givesUpAt }) => givesUpAt),
    );
    if (next === NEVER) return false;
    this.now = next;
    return true;
  }

  /**
   * Lets everything happen that follows from the last step without the world: until its process asks for the next step
   * or ends, and a little longer, since a process may ask for two at once; or until it is clear that nobody asks.
   */
  async #settle(eventsBefore: number): Promise<void> {
    let rest = TURNS_UNTIL_SILENT;
    for (let turn = 0; turn < rest; turn += 1) {
      await TURN;
      if (this.#eventCount !== eventsBefore) rest = min(rest, turn + TURNS_AFTER_ASKING);
    }
  }

  #note(step: Step, fault: Fault | undefined): void {
    const who = step.process?.name ?? 'world';
    const seconds = ((this.now - this.#startAt) / 1000).toFixed(3);
    this.trace.push(
      `${this.stepCount} ${seconds} s ${who}: ${step.kind} ${step.label}${fault ? ` <- ${fault.kind}` : ''}`,
    );
  }

  /** Stands for `setInterval`: the timer belongs to the process whose step is being taken. */
  every(fire: () => void, everyMs: number): object {
    const process = this.#current ?? new Process('nobody', 0);
    const timer: Timer = { process, everyMs, fire, dueAt: this.now + everyMs };
    this.#timers.push(timer);
    return { timer, unref: () => undefined };
  }

  cancel(handle: unknown): void {
    const { timer } = (handle ?? {}) as { timer?: Timer };
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** Stands for `performance.now`, as the process whose step is being taken sees it. */
  localTime(): number {
    return this.now + (this.#current?.clockSkewMs ?? 0);
  }
}

const isAwake = (process: Process | null) => process === null || process.frozen === null;
