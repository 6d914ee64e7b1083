/**
 * The processes of one run: several of each role, each started again when it dies, each within reach for signals and
 * for orders to its probe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { commandOf, type Role, waitUntil } from '@bookiji/local-fleet';
import type { Environment } from '@bookiji/runtime';
import { type ProbeOrder, type ProbeReport, readReport } from '../failpoints/protocol.ts';

const PROBE = fileURLToPath(new URL('../failpoints/probe.ts', import.meta.url));
const AGAIN_AFTER_MS = 150;

export interface MemberPlan {
  /** Unique: `outbound-worker.2`. */
  readonly name: string;
  readonly role: Role;
  readonly port: number;
  readonly environment: Environment;
  /** Whether it listens to orders about failpoints. */
  readonly isProbed: boolean;
}

export interface CrewEvents {
  /** A probe reports: an order was taken, a point was hit, a hit call ended. */
  readonly onReport?: (member: Member, report: ProbeReport) => void;
  readonly onExit?: (member: Member, how: string) => void;
}

const LINES_KEPT = 60;
const HEALTH_CHECK_MS = 1_000;

export class Member {
  readonly plan: MemberPlan;
  /** The last lines it wrote, for whoever asks what went wrong. */
  readonly lines: string[] = [];
  starts = 0;
  exits: string[] = [];
  #frozenAt: number | null = null;
  #child: ChildProcess | null = null;
  #isStopping = false;
  readonly #events: CrewEvents;
  /** Orders that hold for whoever takes this place, so a process that starts again hears them too. */
  readonly #standing = new Map<string, ProbeOrder>();

  constructor(plan: MemberPlan, events: CrewEvents) {
    this.plan = plan;
    this.#events = events;
  }

  get name(): string {
    return this.plan.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.plan.port}`;
  }

  get isFrozen(): boolean {
    return this.#frozenAt !== null;
  }

  /** As a health check would have it that looks every second. */
  get isHealthy(): boolean {
    return this.#child !== null && (this.#frozenAt === null || performance.now() - this.#frozenAt < HEALTH_CHECK_MS);
  }

  get isUp(): boolean {
    return this.#child !== null;
  }

  start(): void {
    const { role, environment, isProbed } = this.plan;
    const { command, args } = commandOf(role);
    const probed = isProbed ? [`--import=${PROBE}`] : [];
    this.starts += 1;
    this.#frozenAt = null;
    const child = spawn(command, [...args.slice(0, -1), ...probed, ...args.slice(-1)], {
      env: { ...environment, CALSYNC_SUPERVISED: '1' } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr] as Readable[])
      createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `code ${code}`));
    child.on('error', () => undefined);
    for (const order of this.#standing.values()) child.send(order, () => undefined);
  }

  #hear(line: string): void {
    const report = readReport(line);
    if (report !== null) {
      if (report.what === 'hit' && report.action === 'stop') this.#frozenAt = performance.now();
      this.#events.onReport?.(this, report);
      return;
    }
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#frozenAt = null;
    this.exits.push(how);
    this.#events.onExit?.(this, how);
    if (!this.#isStopping) setTimeout(() => !this.#isStopping && this.start(), AGAIN_AFTER_MS);
  }

  /** False when it is not there to be signalled. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): boolean {
    const sent = this.#child?.kill(name) ?? false;
    if (sent && name === 'SIGSTOP') this.#frozenAt = performance.now();
    if (sent && name === 'SIGCONT') this.#frozenAt = null;
    return sent;
  }

  /** Who stands still hears it when it is woken. */
  order(order: ProbeOrder): void {
    if (order.do === 'arm') this.#standing.set(order.id, order);
    else this.#standing.delete(order.id);
    this.#child?.send(order, () => undefined);
  }

  async isReady(): Promise<boolean> {
    if (this.isFrozen || this.#child === null) return false;
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await ended;
  }
}

export class Crew {
  readonly members: readonly Member[];

  constructor(plans: readonly MemberPlan[], events: CrewEvents) {
    this.members = plans.map((plan) => new Member(plan, events));
  }

  start(): void {
    process.once('exit', this.#killAll);
    for (const member of this.members) member.start();
  }

  /** Whoever stands still hears nothing of this process's end. */
  readonly #killAll = () => {
    for (const member of this.members) member.signal('SIGKILL');
  };

  of(role: Role): Member[] {
    return this.members.filter((member) => member.plan.role === role);
  }

  async ready(members: readonly Member[] = this.members, withinMs = 60_000): Promise<void> {
    await Promise.all(
      members.map((member) =>
        waitUntil(`${member.name} to be ready`, () => member.isReady(), withinMs, 50).catch((error: Error) => {
          throw new Error([error.message, ...member.lines.slice(-5)].join('\n'));
        }),
      ),
    );
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#killAll);
    await Promise.all(this.members.map((member) => member.stop()));
  }
}
