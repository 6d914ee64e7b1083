/**
 * The fleet of one run: intake, ingress, workers and sweeps, each a process of one job, around the real stories. Also
 * the world that keeps it busy: queues, notifications on their way, people.
 */
import type { Database } from '@bookiji/db';
import type { ConvergeDependencies, convergeBooking, SyncDependencies, syncConnection } from '@bookiji/sync';
import { type CalendarRules, ModelCalendar } from './calendar.ts';
import { Doorbell } from './doorbell.ts';
import type { Machine, World } from './machine.ts';
import type { Process } from './process.ts';
import { gateOf, portOf, ringOf } from './process-ports.ts';
import type { Random } from './random.ts';
import type { Step } from './step.ts';
import { acceptBookingIntent } from './store/booking-intents.ts';
import { findDueEffects } from './store/effect-leases.ts';
import {
  ConnectionLost,
  type ModelDatabase,
  type ModelServer,
  openModelDatabase,
  type StoreRules,
} from './store/model-database.ts';
import { findDueConnections, recordDeliveries, requestDueReconciles } from './store/sync-statements.ts';
import { createConnection, createTables } from './store/tables.ts';
import { BACKOFF, LEASE_MS, max, min, NEVER, RECONCILE_SECONDS, RETRY_MS, STALLED_MS, SWEEP_MS } from './timing.ts';
import { type Announcement, CONNECTION_ID, type Doing, PROVIDER_ID, START, WINDOW } from './workload.ts';

/** The code under test, loaded with the model's statements in place of the SQL. */
export interface Stories {
  readonly convergeBooking: typeof convergeBooking;
  readonly syncConnection: typeof syncConnection;
}

export interface Defences extends CalendarRules, StoreRules {
  /** False: nobody looks for work whose ring was lost. */
  readonly sweeps: boolean;
}

const NOTIFICATION_TRIES = 3;

interface Pending<T> {
  readonly item: T;
  readonly readyAt: number;
  readonly tries: number;
}

export class Fleet implements World {
  readonly server: ModelServer;
  readonly calendar: ModelCalendar;
  readonly #machine: Machine;
  readonly #stories: Stories;
  readonly #defences: Defences;
  readonly #random: Random;
  readonly #inbound = new Doorbell();
  readonly #outbound = new Doorbell();
  /** Errors that no fault explains. */
  readonly surprises: unknown[] = [];
  #doings: Doing[];
  #announcements: Pending<Announcement>[] = [];
  #notifications: Pending<string>[] = [];
  #notified = 0;
  #sweptAt: number;
  #isSweeping = false;
  #reconcilesLeft = 0;

  constructor(options: {
    machine: Machine;
    stories: Stories;
    defences: Defences;
    workload: readonly Doing[];
    random: Random;
  }) {
    const { machine, defences } = options;
    this.#machine = machine;
    this.#stories = options.stories;
    this.#defences = defences;
    this.#doings = [...options.workload];
    this.#random = options.random;
    this.#sweptAt = machine.now;
    this.server = { tables: createTables(), now: () => new Date(machine.now), rules: defences };
    const { calendarProvider } = defences;
    const connection = createConnection(
      { id: CONNECTION_ID, providerId: PROVIDER_ID, calendarProvider },
      new Date(machine.now),
    );
    this.server.tables.connections.set(CONNECTION_ID, connection);
    this.calendar = new ModelCalendar(defences, () => this.#notify());
    // As whoever connects a calendar does.
    this.#inbound.ring(CONNECTION_ID);
  }

  /** Lets the sweep ask once more for every connection whose interval is over. */
  allowReconcile(): void {
    this.#reconcilesLeft += 1;
  }

  hasEventsBeyondWindow(): boolean {
    const windowEnd = this.server.tables.connections.get(CONNECTION_ID)?.syncWindowEnd ?? null;
    const isBeyond = (event: { startAt: Date }) => windowEnd !== null && event.startAt >= windowEnd;
    return [...this.calendar.events.values()].some((event) => !event.isDeleted && isBeyond(event));
  }

  flush(): void {
    this.#inbound.flush();
    this.#outbound.flush();
  }

  expireCursors(): void {
    this.calendar.expireCursors();
  }

  steps(now: number): Step[] {
    const steps: Step[] = [];
    for (const id of this.#inbound.waiting(now)) steps.push(this.#jobStep(this.#inbound, id, 'inbound'));
    for (const id of this.#outbound.waiting(now)) steps.push(this.#jobStep(this.#outbound, id, 'outbound'));
    for (const one of this.#announcements) if (one.readyAt <= now) steps.push(this.#publishStep(one));
    for (const one of this.#notifications) if (one.readyAt <= now) steps.push(this.#notificationStep(one));
    const [doing] = this.#doings;
    if (doing !== undefined && START + doing.afterMs <= now) steps.push(this.#doingStep(doing));
    if (this.#sweepDueAt(now) <= now) steps.push(this.#sweepStep());
    return steps;
  }

  nextAt(now: number): number {
    let next = min(this.#inbound.nextReadyAt(now), this.#outbound.nextReadyAt(now), this.#sweepDueAt(now));
    for (const { readyAt } of this.#announcements) next = min(next, readyAt);
    for (const { readyAt } of this.#notifications) next = min(next, readyAt);
    const [doing] = this.#doings;
    return doing === undefined ? next : min(next, START + doing.afterMs);
  }

  /** When the next sweep would find something: sweeps that find nothing need not be simulated. */
  #sweepDueAt(now: number): number {
    if (!this.#defences.sweeps || this.#isSweeping) return NEVER;
    const { connections, effects } = this.server.tables;
    let due = NEVER;
    for (const effect of effects.values()) {
      const hasWork = effect.appliedVersion < effect.version || effect.inspected < effect.inspectRequested;
      if (hasWork && effect.deadAt === null) due = min(due, max(at(effect.nextAttemptAt), at(effect.leaseUntil)));
    }
    for (const { requested, applied, backoffUntil, leaseUntil, reconcileAt } of connections.values()) {
      if (requested > applied) due = min(due, max(at(backoffUntil), at(leaseUntil)));
      if (this.#reconcilesLeft > 0) due = min(due, at(reconcileAt));
    }
    return due === NEVER ? NEVER : max(now, this.#sweptAt + SWEEP_MS, due);
  }

  #database(process: Process): ModelDatabase {
    return openModelDatabase(this.server, gateOf(this.#machine, process));
  }

  #doingStep(doing: Doing): Step {
    const run = () => {
      this.#doings = this.#doings.filter((other) => other !== doing);
      if (doing.kind === 'publish') this.#announce(doing, 0, 1);
      if (doing.kind === 'put') this.calendar.putOwners(doing.eventId, doing);
      if (doing.kind === 'remove') this.calendar.removeOwners(doing.eventId);
    };
    return worldStep('owner', doing.kind, run);
  }

  /** The booking service says it until it is heard. */
  #announce(item: Announcement, readyAt: number, tries: number): void {
    this.#announcements.push({ item, readyAt, tries });
  }

  #publishStep(pending: Pending<Announcement>): Step {
    const { item } = pending;
    const start = () =>
      this.#start(
        'intake',
        (process) => this.#takeIn(process, item),
        () => this.#announce(item, this.#machine.now + RETRY_MS, pending.tries + 1),
      );
    const run = () => {
      this.#announcements = this.#announcements.filter((other) => other !== pending);
      start();
    };
    return worldStep('publish', `${item.bookingId.slice(-1)} v${item.version} ${item.state}`, run, start);
  }

  async #takeIn(process: Process, item: Announcement): Promise<void> {
    const { bookingId, version, state, startAt, endAt } = item;
    const times = { startAt, endAt, details: { title: `v${version}`, time_zone: 'UTC' } };
    const intent = { eventId: `${bookingId}@${version}`, providerId: PROVIDER_ID, bookingId, version, state, ...times };
    const accepted = await acceptBookingIntent(this.#database(process), intent);
    if (!accepted.accepted) return;
    for (const connectionId of accepted.connectionIds) await this.#ringOutbound(process, bookingId, connectionId);
  }

  #notify(): void {
    this.#notified += 1;
    this.#notifications.push({ item: `message-${this.#notified}`, readyAt: 0, tries: 1 });
  }

  #notificationStep(pending: Pending<string>): Step {
    const { item, tries } = pending;
    const start = () =>
      this.#start(
        'ingress',
        async (process) => {
          const delivery = { connectionId: CONNECTION_ID, deliveryKey: item };
          const { toRing } = await recordDeliveries(this.#database(process), [delivery]);
          for (const connectionId of toRing) await this.#ringInbound(process, connectionId);
        },
        () => {
          if (tries < NOTIFICATION_TRIES)
            this.#notifications.push({ item, readyAt: this.#machine.now + RETRY_MS, tries: tries + 1 });
        },
      );
    const take = () => {
      this.#notifications = this.#notifications.filter((other) => other !== pending);
    };
    const run = () => {
      take();
      start();
    };
    return { ...worldStep('notification', item, run, start), fail: take };
  }

  #jobStep(bell: Doorbell, id: string, role: 'inbound' | 'outbound'): Step {
    const start = () => {
      const token = bell.take(id);
      const process = this.#start(
        role,
        async (mine) => {
          await (role === 'inbound' ? this.#sync(mine, id) : this.#converge(mine, id));
          bell.complete(id, token);
        },
        (isDead) => bell.giveBack(id, token, this.#machine.now + (isDead ? STALLED_MS : RETRY_MS)),
      );
      process.onSilence = () => bell.giveBack(id, token, this.#machine.now + STALLED_MS);
    };
    return {
      ...worldStep('job', `${role} ${id.slice(-16)}`, start, start),
      fail: () => bell.complete(id, bell.take(id)),
    };
  }

  async #sync(process: Process, connectionId: string): Promise<void> {
    const deps: SyncDependencies = {
      db: this.#asDatabase(process),
      openCalendar: () => portOf(this.#machine, process, this.calendar),
      owner: process.name,
      window: WINDOW,
      backoff: BACKOFF,
      reconcileSeconds: RECONCILE_SECONDS,
      leaseMs: LEASE_MS,
      random: () => this.#random.next(),
    };
    const result = await this.#stories.syncConnection(deps, connectionId, process.controller.signal);
    if (result.outcome !== 'synced') return;
    if (result.lookAgain) await this.#ringInbound(process, connectionId);
    for (const bookingId of result.suspectBookingIds) await this.#ringOutbound(process, bookingId, connectionId);
  }

  async #converge(process: Process, id: string): Promise<void> {
    const [bookingId = '', connectionId = ''] = id.split(':');
    const deps: ConvergeDependencies = {
      db: this.#asDatabase(process),
      openCalendar: () => portOf(this.#machine, process, this.calendar),
      owner: process.name,
      backoff: BACKOFF,
      leaseMs: LEASE_MS,
      random: () => this.#random.next(),
    };
    const result = await this.#stories.convergeBooking(deps, { bookingId, connectionId }, process.controller.signal);
    if (result.outcome === 'converged' && result.workAgain) await this.#ringOutbound(process, bookingId, connectionId);
  }

  /** The stories hand it to statements only, and those are the model's. */
  #asDatabase(process: Process): Database {
    return this.#database(process) as unknown as Database;
  }

  #sweepStep(): Step {
    const run = () => {
      this.#isSweeping = true;
      this.#sweptAt = this.#machine.now;
      const done = () => {
        this.#isSweeping = false;
      };
      const process = this.#start('sweep', (mine) => this.#sweep(mine).finally(done), done);
      process.onSilence = done;
    };
    return worldStep('timer', 'sweep', run);
  }

  async #sweep(process: Process): Promise<void> {
    const db = this.#database(process);
    if (this.#reconcilesLeft > 0 && (await requestDueReconciles(db, RECONCILE_SECONDS)) > 0) this.#reconcilesLeft -= 1;
    for (const { bookingId, connectionId } of await findDueEffects(db, 500))
      await this.#ringOutbound(process, bookingId, connectionId);
    for (const id of await findDueConnections(db, 500)) await this.#ringInbound(process, id);
  }

  #ringInbound(process: Process, connectionId: string): Promise<void> {
    return ringOf(this.#machine, process, 'inbound', () => this.#inbound.ring(connectionId));
  }

  #ringOutbound(process: Process, bookingId: string, connectionId: string): Promise<void> {
    return ringOf(this.#machine, process, 'outbound', () => this.#outbound.ring(`${bookingId}:${connectionId}`));
  }

  /** A process for one job. What it throws is its job's failure, and its death is noticed. */
  #start(role: string, story: (process: Process) => Promise<void>, onFailure: (isDead: boolean) => void): Process {
    const process = this.#machine.start(role, (mine) =>
      story(mine).catch((error: unknown) => {
        if (!(error instanceof ConnectionLost)) this.surprises.push(error);
        onFailure(false);
      }),
    );
    process.onSilence = onFailure;
    return process;
  }
}

const at = (instant: Date | null) => instant?.getTime() ?? 0;

function worldStep(kind: Step['kind'], label: string, run: () => void, runUnheard = run): Step {
  return { kind, label, process: null, run, runUnheard, fail: run };
}
