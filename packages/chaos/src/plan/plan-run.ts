/**
 * Everything a run decides, from its seed: who books what when through which door, what owners do, what goes wrong. Time
 * is counted in ticks. What is left to chance beyond that is how the processes' own steps fall between.
 */
import { createHash } from 'node:crypto';
import type { CalendarProvider } from '@bookiji/local-fleet';
import type { WorkingRole } from '../stage/open-stage.ts';
import { Random } from './random.ts';

export const PROCESS_FAULTS = [
  'kill',
  'freeze',
  'redis_flush',
  'redis_kill',
  'redis_freeze',
  'postgres_crash',
] as const;
export type ProcessFaultKind = (typeof PROCESS_FAULTS)[number];

export const PROVIDER_ORDERS = ['outage', 'expire_cursors', 'expire_tokens'] as const;
export type ProviderOrderKind = (typeof PROVIDER_ORDERS)[number];

export interface RunSize {
  readonly connectionsPerProvider: number;
  readonly bookings: number;
  readonly intents: number;
  /** Owners' own events: added, moved, deleted. */
  readonly ownerActs: number;
  readonly forgeries: number;
  readonly ticks: number;
  readonly processFaults: Readonly<Record<ProcessFaultKind, number>>;
  readonly providerOrders: Readonly<Record<ProviderOrderKind, number>>;
}

export interface PlannedIntent {
  readonly booking: number;
  readonly version: number;
  readonly type: 'booking.created' | 'booking.updated' | 'booking.cancelled';
  /** Hours after the run's first hour. */
  readonly startHour: number;
  readonly door: 'queue' | 'http' | 'outbox';
  /** Handed over so many times. */
  readonly copies: number;
}

export interface PlannedOwnerAct {
  readonly calendar: number;
  readonly act: 'add' | 'move' | 'remove';
  /** Counted per calendar. */
  readonly event: number;
  readonly startHour: number;
}

export type PlannedFault =
  | { readonly kind: 'kill' | 'freeze'; readonly role: WorkingRole; readonly member: number; readonly forMs: number }
  | { readonly kind: Exclude<ProcessFaultKind, 'kill' | 'freeze'>; readonly forMs: number }
  | { readonly kind: ProviderOrderKind; readonly calendarProvider: CalendarProvider; readonly forMs: number };

export interface PlannedTick {
  readonly intents: PlannedIntent[];
  readonly ownerActs: PlannedOwnerAct[];
  readonly forgeries: number;
  readonly faults: PlannedFault[];
}

export interface RunPlan {
  readonly seed: number;
  readonly size: RunSize;
  /** One per connection; the first half is Google's, the second Microsoft's. */
  readonly providerIds: readonly string[];
  /** Booking → its id and its connection. */
  readonly bookings: readonly { readonly id: string; readonly connection: number }[];
  readonly ticks: readonly PlannedTick[];
  /** Of all decisions: two runs with the same digest were asked to do the same. */
  readonly digest: string;
}

/** Until then everything that is told gets through again, so that the last word on each calendar is heard. */
export const LAST_DROP_SHARE = 0.8;
/** Faults go on to the end, so that what is measured after the last one is the recovery from faults. */
const LAST_INTENT_SHARE = 0.92;
const DAYS_AHEAD_HOURS = 24 * 60;

export function planRun(seed: number, size: RunSize): RunPlan {
  const random = new Random(seed);
  const connections = 2 * size.connectionsPerProvider;
  const providerIds = Array.from({ length: connections }, () => random.uuid());
  const bookings = Array.from({ length: size.bookings }, (_, at) => ({
    id: random.uuid(),
    connection: at % connections,
  }));
  const ticks: PlannedTick[] = Array.from({ length: size.ticks }, () => ({
    intents: [],
    ownerActs: [],
    forgeries: Math.ceil(size.forgeries / size.ticks),
    faults: [],
  }));
  planIntents(random, size, ticks);
  planOwners(random, size, connections, ticks);
  planFaults(random, size, ticks);
  const decisions = { seed, size, providerIds, bookings, ticks };
  return { ...decisions, digest: createHash('sha256').update(JSON.stringify(decisions)).digest('hex').slice(0, 16) };
}

/** Each booking is made, moved some times, perhaps cancelled; its versions follow each other by some ticks or by none. */
function planIntents(random: Random, size: RunSize, ticks: readonly PlannedTick[]): void {
  const versions = new Array<number>(size.bookings).fill(1);
  for (let left = size.intents - size.bookings; left > 0; left -= 1) {
    const at = random.integer(0, size.bookings - 1);
    versions[at] = (versions[at] ?? 1) + 1;
  }
  const lastTick = Math.floor(size.ticks * LAST_INTENT_SHARE) - 1;
  for (let booking = 0; booking < size.bookings; booking += 1) {
    const last = versions[booking] ?? 1;
    let tick = random.integer(0, Math.max(0, lastTick - 4 * last));
    const isCancelled = random.chance(0.2);
    for (let version = 1; version <= last; version += 1) {
      const ends = version === last && isCancelled && last > 1;
      const intent: PlannedIntent = {
        booking,
        version,
        type: version === 1 ? 'booking.created' : ends ? 'booking.cancelled' : 'booking.updated',
        startHour: random.integer(0, DAYS_AHEAD_HOURS),
        door: random.pick(['queue', 'queue', 'queue', 'http', 'outbox'] as const),
        copies: random.chance(0.1) ? 2 : 1,
      };
      const { intents } = ticks[Math.min(tick, lastTick)] as PlannedTick;
      // A tenth arrives before what came before it.
      if (random.chance(0.1)) intents.unshift(intent);
      else intents.push(intent);
      tick += random.integer(0, 8);
    }
  }
}

function planOwners(random: Random, size: RunSize, connections: number, ticks: readonly PlannedTick[]): void {
  const events = Array.from({ length: connections }, () => 0);
  const living = Array.from({ length: connections }, () => [] as number[]);
  const act = (calendar: number, tick: number) => {
    const here = living[calendar] as number[];
    const isNew = here.length < 3 || random.chance(0.4);
    const startHour = random.integer(0, DAYS_AHEAD_HOURS);
    const { ownerActs } = ticks[tick] as PlannedTick;
    if (isNew) {
      const event = events[calendar] ?? 0;
      events[calendar] = event + 1;
      here.push(event);
      ownerActs.push({ calendar, act: 'add', event, startHour });
      return;
    }
    const event = random.pick(here);
    const isRemoved = random.chance(0.3);
    if (isRemoved) here.splice(here.indexOf(event), 1);
    ownerActs.push({ calendar, act: isRemoved ? 'remove' : 'move', event, startHour });
  };
  const lastDrop = Math.floor(size.ticks * LAST_DROP_SHARE);
  const spread = Math.max(0, size.ownerActs - connections);
  const turns = Array.from({ length: spread }, (_, at) => ({
    calendar: random.integer(0, connections - 1),
    tick: Math.floor((at * size.ticks) / spread),
  }));
  for (let calendar = 0; calendar < connections; calendar += 1) {
    turns.push({ calendar, tick: random.integer(Math.min(lastDrop + 2, size.ticks - 1), size.ticks - 1) });
  }
  // Nobody moves what is not there yet.
  for (const { calendar, tick } of turns.sort((a, b) => a.tick - b.tick)) act(calendar, tick);
}

const STRUCK_ROLES: readonly WorkingRole[] = [
  'ingress',
  'inbound-worker',
  'outbound-worker',
  'outbound-worker',
  'retry-worker',
];

/** How long each lasts: a process longer than the leases, a store from a blink to a while. */
function planFault(random: Random, kind: ProcessFaultKind | ProviderOrderKind): PlannedFault {
  switch (kind) {
    case 'kill':
      return { kind, role: random.pick(STRUCK_ROLES), member: random.integer(0, 9), forMs: 0 };
    case 'freeze':
      return {
        kind,
        role: random.pick(STRUCK_ROLES),
        member: random.integer(0, 9),
        forMs: random.integer(5_500, 7_000),
      };
    case 'redis_flush':
      return { kind, forMs: 0 };
    case 'redis_kill':
      return { kind, forMs: random.integer(100, 1_500) };
    case 'redis_freeze':
      return { kind, forMs: random.integer(800, 3_000) };
    case 'postgres_crash':
      return { kind, forMs: random.integer(50, 900) };
    default:
      return {
        kind,
        calendarProvider: random.pick(['google', 'microsoft'] as const),
        forMs: kind === 'outage' ? random.integer(1_500, 3_000) : 0,
      };
  }
}

/** Spread evenly in an order of chance; the first ticks are left for the fleet to get going. */
function planFaults(random: Random, size: RunSize, ticks: readonly PlannedTick[]): void {
  const kinds = [...Object.entries(size.processFaults), ...Object.entries(size.providerOrders)].flatMap(
    ([kind, count]) => new Array<ProcessFaultKind | ProviderOrderKind>(count).fill(kind as ProcessFaultKind),
  );
  const first = Math.min(4, size.ticks - 1);
  random.shuffle(kinds).forEach((kind, at) => {
    const tick = first + Math.floor((at * (size.ticks - first)) / kinds.length);
    (ticks[tick] as PlannedTick).faults.push(planFault(random, kind));
  });
}
