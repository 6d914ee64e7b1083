import {
  CONNECTION_STATES,
  type ConnectionSearch,
  eraseConnection,
  findConnection,
  listAudit,
  listChannelsOf,
  listDeliveriesOf,
  listRunsOf,
  listTroubledBookings,
  requestDisconnect,
  searchConnections,
  turnSwitches,
  writeAudit,
} from '@bookiji/db';
import { switchName } from '@bookiji/flags';
import type { Command } from 'commander';
import { parseCount, parseUuid, parseWord } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { describeConnection, renderConnection, toRow } from '../describe-connection.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTable } from '../output.ts';
import { detailsOf, type ReasonOptions, reasonOf, withReason } from '../reason.ts';

const HEADER = ['connection', 'provider', 'calendar', 'status', 'last synced', 'due', 'errors', 'last error'];
const SHOWN_RUNS = 5;

/** `connections list | search | show | pause | resume | disconnect | erase`. */
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
        const [runs, channels, deliveries, bookings, audit] = await Promise.all([
          listRunsOf(db, connectionId, SHOWN_RUNS),
          listChannelsOf(db, connectionId),
          listDeliveriesOf(db, connectionId, SHOWN_RUNS),
          listTroubledBookings(db, connectionId, SHOWN_RUNS),
          listAudit(db, SHOWN_RUNS, [connectionId, switchName('connection', connectionId)]),
        ]);
        return { connection, runs, channels, deliveries, bookings, audit };
      });
      const { document, text } = renderConnection(facts);
      output.result(document, () => text);
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
    await withDatabase(async ({ db }) => {
      if ((await findConnection(db, connectionId)) === null) throw new CommandError(`no connection ${connectionId}`);
      const name = switchName('connection', connectionId);
      await turnSwitches(db, [{ name, isOn, changedBy: actor, reason: reasonOf(options) }]);
    });
    output.result({ id: connectionId, paused: !isOn }, () => `${isOn ? 'resumed' : 'paused'}, within two seconds`);
  });
}

function addDisconnect(connections: Command, { actor, output, withDatabase }: CommandContext): void {
  const command = connections
    .command('disconnect')
    .description('end a connection: close its channels, revoke its grant, erase its rows')
    .argument('<id>');
  withReason(command).action(async (id: string, options: ReasonOptions) => {
    const connectionId = parseUuid('id', id);
    await withDatabase(async ({ db }) => {
      if (!(await requestDisconnect(db, connectionId))) throw new CommandError(`no connection ${connectionId}`);
      const details = detailsOf(options);
      await writeAudit(db, { actor, action: 'disconnect_requested', subject: connectionId, details });
    });
    output.result(
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
    await withDatabase(async ({ db }) => {
      const details = detailsOf(options);
      if (!(await eraseConnection(db, connectionId))) throw new CommandError(`no connection ${connectionId}`);
      await writeAudit(db, { actor, action: 'connection_erased', subject: connectionId, details });
    });
    output.result({ id: connectionId, erased: true }, () => 'erased');
  });
}
