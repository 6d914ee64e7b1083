/** The owners' hands at their own calendars, each calendar's acts in order. */
import type { PlannedOwnerAct } from '../plan/plan-run.ts';
import type { Stage } from '../stage/open-stage.ts';
import type { Desk } from './connect-calendars.ts';
import { HOUR_MS } from './hours.ts';

export class Owners {
  acts = 0;
  readonly #stage: Stage;
  readonly #desks: readonly Desk[];
  readonly #firstHourMs: number;
  readonly #events = new Map<string, string>();
  readonly #queues: Promise<void>[];

  constructor(stage: Stage, desks: readonly Desk[], firstHourMs: number) {
    this.#stage = stage;
    this.#desks = desks;
    this.#firstHourMs = firstHourMs;
    this.#queues = desks.map(() => Promise.resolve());
  }

  /** Starts them; does not wait. */
  act(acts: readonly PlannedOwnerAct[]): void {
    for (const one of acts) {
      const acted = (this.#queues[one.calendar] as Promise<void>).then(() => this.#act(one));
      // Thrown by `done`.
      acted.catch(() => undefined);
      this.#queues[one.calendar] = acted;
    }
  }

  async #act({ calendar, act, event, startHour }: PlannedOwnerAct): Promise<void> {
    const { sandbox } = this.#stage;
    const { calendar: at } = this.#desks[calendar] as Desk;
    const startMs = this.#firstHourMs + startHour * HOUR_MS;
    const span = { start: new Date(startMs).toISOString(), end: new Date(startMs + HOUR_MS).toISOString() };
    const key = `${calendar}.${event}`;
    this.acts += 1;
    if (act === 'add') {
      this.#events.set(key, (await sandbox.addEvent(at, { title: 'Own time', ...span })).id);
      return;
    }
    const id = this.#events.get(key) as string;
    if (act === 'move') await sandbox.changeEvent(at, id, span);
    else await sandbox.deleteEvent(at, id);
  }

  async done(): Promise<void> {
    await Promise.all(this.#queues);
  }
}
