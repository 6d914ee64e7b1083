/** Carries the planned faults out, each with what shows that it really struck. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault, ProcessFaultKind, ProviderOrderKind } from '../plan/plan-run.ts';
import type { Member } from '../stage/crew.ts';
import type { Stage } from '../stage/open-stage.ts';

export interface StruckFault {
  readonly kind: ProcessFaultKind | ProviderOrderKind;
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly target: string;
  /** What was seen of it. */
  readonly evidence: string;
}

/** Longer than the longest freeze. */
const TARGET_WITHIN_MS = 10_000;

export class Injector {
  readonly struck: StruckFault[] = [];
  /** Planned, but for all the waiting there was nothing there to strike. */
  readonly missed: PlannedFault[] = [];
  readonly #stage: Stage;
  readonly #startedAt = performance.now();
  readonly #onRedisLoss: () => Promise<void>;
  readonly #underway = new Set<Promise<void>>();
  /** One after the other on each store. */
  #redis: Promise<void> = Promise.resolve();
  #postgres: Promise<void> = Promise.resolve();

  constructor(stage: Stage, onRedisLoss: () => Promise<void>) {
    this.#stage = stage;
    this.#onRedisLoss = onRedisLoss;
  }

  /** Starts it; what has to be put right again is put right by itself. */
  inject(fault: PlannedFault): void {
    const work = this.#carryOut(fault).finally(() => this.#underway.delete(work));
    this.#underway.add(work);
  }

  /** Resolves when everything is put right. */
  async done(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  #note(kind: StruckFault['kind'], target: string, evidence: string): void {
    this.struck.push({ kind, atMs: Math.round(performance.now() - this.#startedAt), target, evidence });
  }

  async #carryOut(fault: PlannedFault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault);
      case 'freeze':
        return this.#freeze(fault);
      case 'redis_flush':
      case 'redis_kill':
      case 'redis_freeze':
        this.#redis = this.#redis.then(() => this.#strikeRedis(fault.kind as 'redis_kill', fault.forMs));
        return this.#redis;
      case 'postgres_crash':
        this.#postgres = this.#postgres.then(() => this.#crashPostgres(fault.forMs));
        return this.#postgres;
      default:
        return this.#orderProvider(fault as Extract<PlannedFault, { kind: ProviderOrderKind }>);
    }
  }

  /** Waits for one while all are down or asleep: on a slow machine faults lie closer to each other than planned. */
  async #untilTarget(fault: Extract<PlannedFault, { kind: 'kill' | 'freeze' }>): Promise<Member | undefined> {
    const until = performance.now() + TARGET_WITHIN_MS;
    let member = this.#target(fault);
    while (member === undefined && performance.now() < until) {
      await sleep(100);
      member = this.#target(fault);
    }
    return member;
  }

  /** The planned process, or the next one of its role that is there and awake. */
  #target(fault: Extract<PlannedFault, { kind: 'kill' | 'freeze' }>): Member | undefined {
    const members = this.#stage.crew.of(fault.role);
    const order = members.map((_, at) => members[(fault.member + at) % members.length] as Member);
    const awake = order.filter((member) => member.isUp && !member.isFrozen);
    // A fleet of which nobody is awake shows nothing but a pause.
    return fault.kind === 'freeze' && awake.length < 2 ? undefined : awake[0];
  }

  async #kill(fault: Extract<PlannedFault, { kind: 'kill' | 'freeze' }>): Promise<void> {
    const member = await this.#untilTarget(fault);
    if (member === undefined) return void this.missed.push(fault);
    const deaths = member.exits.length;
    member.signal('SIGKILL');
    while (member.exits.length === deaths) await sleep(5);
    this.#note('kill', member.name, `ended by ${member.exits.at(-1)}`);
  }

  async #freeze(fault: Extract<PlannedFault, { kind: 'kill' | 'freeze' }>): Promise<void> {
    const member = await this.#untilTarget(fault);
    if (member === undefined || !member.signal('SIGSTOP')) return void this.missed.push(fault);
    const starts = member.starts;
    await sleep(fault.forMs);
    const isSame = member.starts === starts && member.signal('SIGCONT');
    this.#note('freeze', member.name, isSame ? `stood still for ${fault.forMs} ms and went on` : 'ended meanwhile');
  }

  async #strikeRedis(kind: 'redis_flush' | 'redis_kill' | 'redis_freeze', forMs: number): Promise<void> {
    const { redis } = this.#stage;
    if (kind === 'redis_flush') {
      const keys = await redis.flush();
      this.#note(kind, 'redis', `${keys} keys gone`);
      return this.#onRedisLoss();
    }
    if (kind === 'redis_freeze') {
      redis.freeze();
      await sleep(forMs);
      redis.thaw();
      return this.#note(kind, 'redis', `silent for ${forMs} ms`);
    }
    const killedAt = performance.now();
    await redis.kill();
    await sleep(forMs);
    await redis.start();
    this.#note(kind, 'redis', `killed, takes writes again after ${Math.round(performance.now() - killedAt)} ms`);
    return this.#onRedisLoss();
  }

  async #crashPostgres(forMs: number): Promise<void> {
    const downAt = performance.now();
    await this.#stage.postgres.crash();
    await sleep(forMs);
    await this.#stage.postgres.start();
    this.#note('postgres_crash', 'postgres', `immediate stop, away for ${Math.round(performance.now() - downAt)} ms`);
  }

  async #orderProvider(fault: Extract<PlannedFault, { kind: ProviderOrderKind }>): Promise<void> {
    const { sandbox } = this.#stage;
    const { kind, calendarProvider } = fault;
    if (kind === 'outage') {
      const order = { provider: calendarProvider, operation: 'events.*', status: 503 };
      const { id } = await sandbox.order<{ id: number }>('POST', '/faults', order);
      await sleep(fault.forMs);
      const { faults } = await sandbox.order<{ faults: { id: number; fired: number }[] }>('GET', '/faults');
      const refused = faults.find((one) => one.id === id)?.fired ?? 0;
      await sandbox.order('DELETE', `/faults?id=${id}`).catch(() => undefined);
      return this.#note(kind, calendarProvider, `${refused} calls refused in ${fault.forMs} ms`);
    }
    const path = kind === 'expire_cursors' ? '/cursors/expire' : '/tokens/expire';
    const answer = await sandbox.order('POST', path, { calendar_provider: calendarProvider });
    this.#note(kind, calendarProvider, JSON.stringify(answer));
  }
}
