import {
  CONNECTION_STATES,
  type ConnectionSearch,
  type Database,
  eraseConnection,
  findConnection,
  listChannelsOf,
  listDeliveriesOf,
  listOperatorLog,
  listRunsOf,
  listTroubledBookings,
  searchConnections,
  writeOperatorLog,
} from '@bookiji/db';
import { switchName } from '@bookiji/flags';
import { type Bells, disconnect, reopenChannel, turnConnection } from '@bookiji/sync';
import type { Command } from 'commander';
import { parseCount, parseUuid, parseWord } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { describeConnection, toDocument, toRow, toText } from '../describe-connection.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTable } from '../output.ts';
import { type ReasonOptions, reasonOf, requireReason, withReason } from '../reason.ts';
import { ring } from '../ring.ts';

const HEADER = ['connection', 'provider', 'calendar', 'status', 'last synced', 'due', 'errors', 'last error'];
const SHOWN_RUNS = 5;

/** `connections list | search | show | pause | resume | reopen-channel | disconnect | erase`. */
export function addConnectionCommands(program: Command, context: CommandContext): void {
  const connections = program
    .command('connections')
    .description('who is connected, what troubles them, and what to do about it')
    .addHelpText(
      'after',
      examples(
        ['connections list --state failing', 'those with errors, the worst first'],
        ['connections search 7c9e', 'by the beginning of a connection’s or provider’s id'],
        ['connections show <id>', 'one of them: runs, channels, bookings, what to do'],
        ['connections pause <id> --reason "owner asked"', 'its work waits, nothing is lost'],
        ['connections disconnect <id> --reason "left us"', 'grant revoked, channels closed, rows erased'],
      ),
    );
  addList(connections, context);
  addSearch(connections, context);
  addShow(connections, context);
  addTurn(connections, context, 'pause');
  addTurn(connections, context, 'resume');
  addReopenChannel(connections, context);
  addDisconnect(connections, context);
  addErase(connections, context);
}

interface ListOptions {
  readonly provider?: string;
  readonly status?: string;
  readonly state?: string;
  readonly calendar?: string;
  readonly limit: string;
  readonly offset: string;
}

function addList(connections: Command, context: CommandContext): void {
  connections
    .command('list', { isDefault: true })
    .description('connections, those with trouble first')
    .option('--provider <id>', 'only those of this provider')
    .option('--state <state>', `only ${CONNECTION_STATES.join(', ')} ones`)
    .option('--status <state>', 'the same as --state')
    .option('--calendar <provider>', 'only those at google or microsoft')
    .option('--limit <count>', 'at most so many', '100')
    .option('--offset <count>', 'leave out so many first', '0')
    .action(async (options: ListOptions) => {
      const state = options.state ?? options.status;
      await list(context, options, {
        ...(options.provider === undefined ? {} : { idPrefix: parseUuid('--provider', options.provider) }),
        ...(state === undefined ? {} : { state: parseWord('--state', state, CONNECTION_STATES) }),
        ...(options.calendar === undefined
          ? {}
          : { calendarProvider: parseWord('--calendar', options.calendar, ['google', 'microsoft'] as const) }),
      });
    });
}

function addSearch(connections: Command, context: CommandContext): void {
  connections
    .command('search')
    .description('by the beginning of the id of a connection or provider')
    .argument('<beginning>')
    .option('--limit <count>', 'at most so many', '20')
    .action(async (beginning: string, options: { limit: string }) => {
      if (!/^[0-9a-f-]{1,36}$/i.test(beginning))
        throw new CommandError(`"${beginning}" is not the beginning of an id`, EXIT.usage);
      await list(context, { ...options, offset: '0' }, { idPrefix: beginning });
    });
}

async function list(
  { output, withDatabase }: CommandContext,
  options: { limit: string; offset: string },
  search: ConnectionSearch,
): Promise<void> {
  const page = { limit: parseCount('--limit', options.limit), offset: parseCount('--offset', options.offset, 0) };
  const found = await withDatabase(({ db }) => searchConnections(db, search, page));
  output.result({ connections: found.connections.map(describeConnection), total: found.total }, () => {
    const more = found.total - page.offset - found.connections.length;
    const table = renderTable(HEADER, found.connections.map(toRow));
    return more > 0 ? `${table}\n… and ${more} more (--offset ${page.offset + page.limit})` : table;
  });
}

function addShow(connections: Command, { output, withDatabase }: CommandContext): void {
  connections
    .command('show')
    .description('one connection: how it is, what it did last, and what to do')
    .argument('<id>')
    .action(async (id: string) => {
      const connectionId = parseUuid('id', id);
      const facts = await withDatabase(async ({ db }) => {
        const connection = await findConnection(db, connectionId);
        if (connection === null) throw new CommandError(`no connection ${connectionId}`);
        const [runs, channels, deliveries, bookings, operatorLog] = await Promise.all([
          listRunsOf(db, connectionId, SHOWN_RUNS),
          listChannelsOf(db, connectionId),
          listDeliveriesOf(db, connectionId, SHOWN_RUNS),
          listTroubledBookings(db, connectionId, SHOWN_RUNS),
          listOperatorLog(db, SHOWN_RUNS, [connectionId, switchName('connection', connectionId)]),
        ]);
        return { connection, runs, channels, deliveries, bookings, operatorLog };
      });
      output.result(toDocument(facts), () => toText(facts));
    });
}

function addTurn(
  connections: Command,
  { actor, output, withDatabase }: CommandContext,
  verb: 'pause' | 'resume',
): void {
  const isOn = verb === 'resume';
  const command = connections
    .command(verb)
    .description(isOn ? 'let its work go on' : 'let its work wait; what is under way finishes, nothing is lost')
    .argument('<id>');
  withReason(command).action(async (id: string, options: ReasonOptions) => {
    const connectionId = parseUuid('id', id);
    const turn = { switchName: switchName('connection', connectionId), isOn, actor, reason: reasonOf(options) };
    const isTurned = await withDatabase(({ db }) => turnConnection(db, connectionId, turn));
    if (!isTurned) throw new CommandError(`no connection ${connectionId}`);
    output.result({ id: connectionId, paused: !isOn }, () => `${isOn ? 'resumed' : 'paused'}, within two seconds`);
  });
}

function addReopenChannel(connections: Command, context: CommandContext): void {
  const command = connections
    .command('reopen-channel')
    .description('have its push channel renewed or replaced now')
    .argument('<id>');
  withReason(command).action(async (id: string, options: ReasonOptions) => {
    const connectionId = parseUuid('id', id);
    await carryIn(context, connectionId, (db) => reopenChannel(db, connectionId, wishOf(context, options)));
    context.output.result({ id: connectionId, reopening: true }, () => 'asked for; done within seconds');
  });
}

/** Stores the wish, then rings for it. */
async function carryIn(
  context: CommandContext,
  connectionId: string,
  store: (db: Database) => Promise<Bells | null>,
): Promise<void> {
  const bells = await context.withDatabase(({ db }) => store(db));
  if (bells === null) throw new CommandError(`no connection ${connectionId}`);
  await ring(context, bells);
}

function wishOf({ actor }: CommandContext, options: ReasonOptions) {
  return { actor, reason: reasonOf(options) };
}

function addDisconnect(connections: Command, context: CommandContext): void {
  const command = connections
    .command('disconnect')
    .description('end a connection: close its channels, revoke its grant, erase its rows')
    .argument('<id>');
  withReason(command).action(async (id: string, options: ReasonOptions) => {
    const connectionId = parseUuid('id', id);
    const wish = { actor: context.actor, reason: requireReason(options) };
    await carryIn(context, connectionId, (db) => disconnect(db, connectionId, wish));
    context.output.result(
      { id: connectionId, disconnecting: true },
      () => 'asked for; the fleet carries it out within seconds',
    );
  });
}

function addErase(connections: Command, { actor, output, withDatabase }: CommandContext): void {
  const command = connections
    .command('erase')
    .description('erase its rows now, without a word to the calendar provider (disconnect is the better way)')
    .argument('<id>')
    .option('--yes', 'yes, really; the grant is not revoked and cannot be afterwards');
  withReason(command).action(async (id: string, options: ReasonOptions & { yes?: boolean }) => {
    const connectionId = parseUuid('id', id);
    if (options.yes !== true)
      throw new CommandError('erasing leaves the grant alive at the calendar provider; say --yes', EXIT.usage);
    const reason = requireReason(options);
    await withDatabase(async ({ db }) => {
      if (!(await eraseConnection(db, connectionId))) throw new CommandError(`no connection ${connectionId}`);
      await writeOperatorLog(db, { actor, action: 'connection_erased', subject: connectionId, reason });
    });
    output.result({ id: connectionId, erased: true }, () => 'erased');
  });
}
