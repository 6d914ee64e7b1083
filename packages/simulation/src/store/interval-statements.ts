/** The statements about busy time and staged pages, said in memory: each means what the SQL of `@bookiji/db` means. */
import {
  type AppliedCounts,
  type BusyInterval,
  type FinishedIncrement,
  type IntervalChanges,
  type IntervalOwner,
  LeaseLostError,
} from '@bookiji/db';
import type { ModelDatabase, StatementContext } from './model-database.ts';
import { record } from './sync-statements.ts';
import type { EventRow, StagedRow } from './tables.ts';

export async function stagePage(
  db: ModelDatabase,
  connectionId: string,
  token: number,
  page: IntervalChanges,
): Promise<void> {
  await db.run('stage_page', (context) => stage(context, connectionId, token, page));
}

function stage({ tables }: StatementContext, connectionId: string, token: number, page: IntervalChanges): void {
  const isMine = (row: StagedRow) => row.connectionId === connectionId && row.token === token;
  const row = (operation: StagedRow['operation'], id: string, put: BusyInterval | null): StagedRow => ({
    connectionId,
    token,
    operation,
    id,
    put,
  });
  const isVoid = ({ operation, id, put }: StagedRow) =>
    operation === 'put' && (page.resetSeriesIds.includes(put?.seriesId ?? '') || page.dropIds.includes(id));
  const added = [
    ...page.resetSeriesIds.map((id) => row('drop_series', id, null)),
    ...page.dropIds.map((id) => row('drop', id, null)),
    ...page.puts.map((put) => row('put', put.eventId, put)),
  ];
  const isReplaced = (held: StagedRow) =>
    added.some((next) => next.operation === held.operation && next.id === held.id);
  tables.staged = [...tables.staged.filter((held) => !isMine(held) || (!isVoid(held) && !isReplaced(held))), ...added];
}

export async function clearStagedPages(db: ModelDatabase, connectionId: string, token: number): Promise<void> {
  await db.run('clear_staged_pages', (context) => clear(context, connectionId, token));
}

function clear({ tables }: StatementContext, connectionId: string, token: number): void {
  tables.staged = tables.staged.filter((row) => row.connectionId !== connectionId || row.token > token);
}

export function applyIncrement(
  db: ModelDatabase,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
): Promise<AppliedCounts> {
  return db.run('apply_increment', (context) => increase(context, owner, token, lastPage));
}

/** The lease first: nothing is applied unless it is held. */
export function storeIncrement(
  db: ModelDatabase,
  done: FinishedIncrement,
): Promise<{ counts: AppliedCounts; lookAgain: boolean; recordedAt: Date }> {
  return db.run('store_increment', (context) => {
    const recorded = record(context, { ...done, mode: 'incremental', connectionId: done.owner.connectionId });
    return { counts: increase(context, done.owner, done.token, done.page), ...recorded };
  });
}

function increase(
  context: StatementContext,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
): AppliedCounts {
  const staged = takeStaged(context, owner, token, lastPage);
  const named = (operation: StagedRow['operation']) =>
    new Set(staged.filter((row) => row.operation === operation).map((row) => row.id));
  const [puts, drops, series] = [named('put'), named('drop'), named('drop_series')];
  const droppedCount = remove(context, owner, ({ externalEventId, seriesId }) => {
    const isNamed = drops.has(externalEventId ?? '') || series.has(seriesId ?? '');
    return isNamed && !puts.has(externalEventId ?? '');
  });
  return { putCount: put(context, owner, staged), droppedCount };
}

export function applyFullRound(
  db: ModelDatabase,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
  unreadIds: readonly string[],
): Promise<AppliedCounts> {
  return db.run('apply_full_round', (context) => {
    const staged = takeStaged(context, owner, token, lastPage);
    const kept = new Set([...staged.filter((row) => row.operation === 'put').map((row) => row.id), ...unreadIds]);
    const droppedCount = remove(context, owner, ({ externalEventId }) => !kept.has(externalEventId ?? ''));
    return { putCount: put(context, owner, staged), droppedCount };
  });
}

function holdLease({ tables, rules }: StatementContext, connectionId: string, token: number): void {
  if (rules.isFenced && tables.connections.get(connectionId)?.leaseToken !== token)
    throw new LeaseLostError('the connection');
}

export async function beginFirstRound(db: ModelDatabase, owner: IntervalOwner, token: number): Promise<void> {
  await db.run('begin_first_round', (context) => {
    holdLease(context, owner.connectionId, token);
    remove(context, owner, () => true);
  });
}

export function storeFirstPage(
  db: ModelDatabase,
  owner: IntervalOwner,
  token: number,
  page: IntervalChanges,
): Promise<AppliedCounts> {
  return db.run('store_first_page', (context) => {
    holdLease(context, owner.connectionId, token);
    const series = new Set(page.resetSeriesIds);
    const drops = new Set(page.dropIds);
    const puts = new Set(page.puts.map(({ eventId }) => eventId));
    const droppedCount = remove(context, owner, ({ externalEventId, seriesId }) => {
      const isEmptied = series.has(seriesId ?? '') && !puts.has(externalEventId ?? '');
      return isEmptied || drops.has(externalEventId ?? '');
    });
    return { putCount: page.puts.filter((interval) => putOne(context, owner, interval)).length, droppedCount };
  });
}

function takeStaged(
  context: StatementContext,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
): StagedRow[] {
  stage(context, owner.connectionId, token, lastPage);
  const staged = context.tables.staged.filter((row) => row.connectionId === owner.connectionId && row.token === token);
  clear(context, owner.connectionId, token);
  return staged;
}

/** Removes the owner's busy time; a booking's mapping is never touched. */
function remove({ tables }: StatementContext, owner: IntervalOwner, isGone: (row: EventRow) => boolean): number {
  const kept = tables.events.filter(
    (row) => row.connectionId !== owner.connectionId || row.bookingId !== null || !isGone(row),
  );
  const count = tables.events.length - kept.length;
  tables.events = kept;
  return count;
}

function put(context: StatementContext, owner: IntervalOwner, staged: readonly StagedRow[]): number {
  const puts = staged.flatMap((row) => (row.put === null ? [] : [row.put]));
  return puts.filter((interval) => putOne(context, owner, interval)).length;
}

function putOne({ tables }: StatementContext, owner: IntervalOwner, interval: BusyInterval): boolean {
  const { eventId, seriesId, startAt, endAt, checksum } = interval;
  const held = tables.events.find((row) => row.externalEventId === eventId);
  if (held !== undefined && (held.bookingId !== null || held.checksum === checksum)) return false;
  const row: EventRow = {
    connectionId: owner.connectionId,
    externalEventId: eventId,
    ...{ seriesId, startAt, endAt, checksum },
    bookingId: null,
    isBusy: true,
    syncStatus: null,
    lastError: null,
  };
  tables.events = [...tables.events.filter((other) => other !== held), row];
  return true;
}
