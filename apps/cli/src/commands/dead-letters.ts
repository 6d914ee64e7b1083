import {
  closeDeadLetter,
  type Database,
  type DeadLetter,
  findDeadLetter,
  listDeadLetters,
  writeOperatorLog,
} from '@bookiji/db';
import { readBookingIntent } from '@bookiji/queues';
import { type ReplayResult, replayAsOperator, restoreAsOperator } from '@bookiji/sync';
import type { Command } from 'commander';
import { parseCount, parseUuid } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTable } from '../output.ts';
import { type ReasonOptions, requireReason, withReason } from '../reason.ts';

const ALL_AT_MOST = 10_000;

/** `dead-letters list | show | replay | restore | discard`. */
export function addDeadLetterCommands(program: Command, context: CommandContext): void {
  const letters = program
    .command('dead-letters')
    .description('work that was given up: look at it, try it again, or let it be')
    .addHelpText(
      'after',
      examples(
        ['dead-letters list', 'open ones, the newest first'],
        ['dead-letters show <id>', 'everything that is known of it'],
        ['dead-letters replay <id>', 'due again; exit 1 when it still cannot be done'],
        ['dead-letters restore <id>', 'held deletions were a mistake: the events are written again'],
        ['dead-letters replay --all', 'after the cause was fixed'],
        ['dead-letters discard <id> --reason "test booking"', 'closed without being tried again'],
      ),
    );
  addList(letters, context);
  addShow(letters, context);
  addReplay(letters, context);
  addRestore(letters, context);
  addDiscard(letters, context);
}

function addList(letters: Command, { output, withDatabase }: CommandContext): void {
  letters
    .command('list', { isDefault: true })
    .description('open dead letters, the newest first')
    .option('--limit <count>', 'at most so many', '100')
    .action(async (options: { limit: string }) => {
      const open = await withDatabase(({ db }) => listDeadLetters(db, parseCount('--limit', options.limit)));
      output.result({ dead_letters: open.map(toJson) }, () =>
        renderTable(
          ['id', 'kind', 'reason', 'since'],
          open.map((letter) => [letter.id, letter.kind, letter.reason, letter.createdAt.toISOString()]),
        ),
      );
    });
}

function addShow(letters: Command, { output, withDatabase }: CommandContext): void {
  letters
    .command('show')
    .description('one dead letter with its payload')
    .argument('<id>')
    .action(async (id: string) => {
      const letter = await withDatabase(({ db }) => find(db, id));
      output.result(toJson(letter), () => JSON.stringify(toJson(letter), null, 2));
    });
}

function addReplay(letters: Command, context: CommandContext): void {
  letters
    .command('replay')
    .description('make it due again; of two operators who do it at once, one does')
    .argument('[id...]')
    .option('--all', 'every open one')
    .action(async (ids: string[], options: { all?: boolean }) => {
      if (ids.length > 0 === (options.all === true))
        throw new CommandError('name dead letters, or say --all', EXIT.usage);
      const results = await context.withDatabase(({ db }) => replayAll(context, db, ids));
      const [only] = results;
      context.output.result(ids.length === 1 && only !== undefined ? only : { replayed: results }, () =>
        results.length === 0 ? 'there is none' : results.map((one) => `${one.id}  ${explain(one)}`).join('\n'),
      );
      if (results.some(({ outcome }) => outcome !== 'replayed')) context.exit(EXIT.no);
    });
}

async function replayAll({ actor, output }: CommandContext, db: Database, ids: readonly string[]) {
  const letters: DeadLetter[] = [];
  if (ids.length === 0) letters.push(...(await listDeadLetters(db, ALL_AT_MOST)));
  for (const id of ids) letters.push(await find(db, id));
  const bar = output.progress('replaying', letters.length);
  const results: (ReplayResult & { id: string })[] = [];
  for (const letter of letters) {
    const result = await replayAsOperator(db, letter, { actor, readBooking: readBookingIntent });
    results.push({ id: letter.id, ...result });
    bar.show(results.length, letter.id);
  }
  bar.end();
  return results;
}

function addRestore(letters: Command, { actor, exit, output, withDatabase }: CommandContext): void {
  letters
    .command('restore')
    .description('held deletions were a mistake: write the events again (replay reports them as deleted instead)')
    .argument('<id>')
    .action(async (id: string) => {
      const result = await withDatabase(async ({ db }) => {
        const restored = await restoreAsOperator(db, await find(db, id), actor);
        if (restored === null) throw new CommandError('only held deletions can be restored');
        return restored;
      });
      output.result({ id, ...result }, () => explain(result));
      if (result.outcome !== 'replayed') exit(EXIT.no);
    });
}

function addDiscard(letters: Command, { actor, output, withDatabase }: CommandContext): void {
  const command = letters.command('discard').description('close it without trying it again').argument('<id>');
  withReason(command).action(async (id: string, options: ReasonOptions) => {
    const reason = requireReason(options);
    await withDatabase(async ({ db }) => {
      const letter = await find(db, id);
      await db.transaction(async (tx) => {
        if (!(await closeDeadLetter(tx, letter.id))) throw new CommandError('it is closed already');
        await writeOperatorLog(tx, { actor, action: 'dead_letter_discarded', subject: letter.id, reason });
      });
    });
    output.result({ id, outcome: 'discarded' }, () => 'discarded');
  });
}

async function find(db: Database, id: string): Promise<DeadLetter> {
  const letter = await findDeadLetter(db, parseUuid('id', id));
  if (letter === null) throw new CommandError(`no dead letter ${id}`);
  return letter;
}

function explain(result: ReplayResult): string {
  switch (result.outcome) {
    case 'replayed':
      return 'due again; the sweep starts it within seconds';
    case 'already_replayed':
      return 'somebody closed it already';
    case 'still_invalid':
      return `still invalid, so it stays a dead letter: ${result.reason}`;
    case 'nothing_left':
      return 'its booking or connection is gone; the letter is closed';
  }
}

function toJson(letter: DeadLetter) {
  return {
    id: letter.id,
    kind: letter.kind,
    reason: letter.reason,
    created_at: letter.createdAt,
    replayed_at: letter.replayedAt,
    payload: letter.payload,
  };
}
