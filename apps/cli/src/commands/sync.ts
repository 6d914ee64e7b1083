import { setTimeout as sleep } from 'node:timers/promises';
import { findConnection, findDueConnections, listConnectionsOf } from '@bookiji/db';
import { readFlagCeiling } from '@bookiji/flags';
import { requestSyncs, SILENCE } from '@bookiji/sync';
import type { Command } from 'commander';
import { parseCount, parseUuid } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { type ReasonOptions, reasonOf, withReason } from '../reason.ts';
import { ring } from '../ring.ts';

/** More than this at once is the sweep's work. */
const DUE_AT_MOST = 1_000;
const LOOK_EVERY_MS = 200;

/** `sync <id…> | --due`: look at connections now. */
export function addSyncCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('sync')
    .description('look at calendars now: of one connection, of a provider, or of all that are due')
    .argument('[id...]', 'connections or providers; they do not wait out a backoff, nor do their bookings')
    .option('--due', 'all that are due and whose wait is over')
    .option('--wait <seconds>', 'stay until they are done, at most so long')
    .addHelpText(
      'after',
      examples(
        ['sync <connection id>', 'one connection'],
        ['sync <provider id> --wait 30', 'every calendar of a provider, and see it done'],
        ['sync --due', 'ring for whatever is due, as the sweep does'],
      ),
    );
  withReason(command).action(async (ids: string[], options: ReasonOptions & { due?: boolean; wait?: string }) => {
    if (ids.length > 0 === (options.due === true))
      throw new CommandError('name connections or providers, or say --due', EXIT.usage);
    const bells =
      options.due === true
        ? { ...SILENCE, inbound: await findDue(context) }
        : await request(context, ids, reasonOf(options));
    const queued = bells.inbound;
    const isRung = await ring(context, bells);
    const waitMs = options.wait === undefined ? 0 : parseCount('--wait', options.wait) * 1_000;
    const done = await untilDone(context, queued, waitMs);
    context.output.result({ queued, rung: isRung, ...(waitMs > 0 ? { done } : {}) }, () =>
      waitMs > 0
        ? `${done.length} of ${queued.length} done`
        : `${queued.length === 1 ? '1 sync' : `${queued.length} syncs`} requested; ${isRung ? 'workers start now' : 'the sweep starts them within seconds'}`,
    );
    if (waitMs > 0 && done.length < queued.length) context.exit(EXIT.no);
  });
}

async function request({ actor, withDatabase }: CommandContext, ids: readonly string[], reason: string | null) {
  return withDatabase(async ({ db }) => {
    const wanted: string[] = [];
    for (const id of ids) {
      const subject = parseUuid('id', id);
      const one = await findConnection(db, subject);
      const found = one === null ? await listConnectionsOf(db, subject) : [one];
      if (found.length === 0) throw new CommandError(`no connection or provider ${subject}`);
      wanted.push(...found.map((connection) => connection.id));
    }
    return requestSyncs(db, wanted, { actor, reason });
  });
}

/** Flags are the workers' to ask; the lists spare them what they would only park. */
function findDue({ environment, withDatabase }: CommandContext): Promise<string[]> {
  const { providerIds, connectionIds } = readFlagCeiling(environment);
  return withDatabase(({ db }) => findDueConnections(db, { providerIds, connectionIds }, DUE_AT_MOST));
}

async function untilDone(
  { output, withDatabase }: CommandContext,
  ids: readonly string[],
  waitMs: number,
): Promise<string[]> {
  if (waitMs === 0) return [];
  const bar = output.progress('syncing', ids.length);
  const until = performance.now() + waitMs;
  return withDatabase(async ({ db }) => {
    for (;;) {
      const states = await Promise.all(ids.map((id) => findConnection(db, id)));
      const done = states.flatMap((one) => (one?.syncNeeded === false ? [one.id] : []));
      bar.show(done.length);
      if (done.length === ids.length || performance.now() > until) {
        bar.end();
        return done;
      }
      await sleep(LOOK_EVERY_MS);
    }
  });
}
