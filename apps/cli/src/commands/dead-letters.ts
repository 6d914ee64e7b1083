import { type DeadLetter, findDeadLetter, listDeadLetters, writeAudit } from '@bookiji/db';
import { parseBookingEvent, toDesiredBooking } from '@bookiji/queues';
import { type ReadBooking, type ReplayResult, replayDeadLetter } from '@bookiji/sync';
import type { Command } from 'commander';
import { type CommandContext, CommandError, parseUuid } from '../context.ts';
import { renderTable } from '../output.ts';

/** `dead-letters list | show | replay`. */
export function addDeadLetterCommands(program: Command, context: () => CommandContext): void {
  const letters = program.command('dead-letters').description('work that was given up: look at it, try it again');

  letters
    .command('list', { isDefault: true })
    .option('--limit <count>', 'at most so many', '100')
    .action(async (options: { limit: string }) => {
      const { output, withDatabase } = context();
      const open = await withDatabase(({ db }) => listDeadLetters(db, Number(options.limit) || 100));
      output.result({ dead_letters: open.map(toJson) }, () =>
        renderTable(
          ['id', 'kind', 'reason', 'since'],
          open.map((letter) => [letter.id, letter.kind, letter.reason, letter.createdAt.toISOString()]),
        ),
      );
    });

  letters
    .command('show')
    .argument('<id>')
    .action(async (id: string) => {
      const letter = await context().withDatabase(({ db }) => find(db, id));
      context().output.result(toJson(letter), () => JSON.stringify(toJson(letter), null, 2));
    });

  letters
    .command('replay')
    .argument('<id>')
    .action(async (id: string) => {
      const { actor, output, withDatabase } = context();
      const result = await withDatabase(async ({ db }) => {
        const letter = await find(db, id);
        const replayed = await replayDeadLetter(db, letter, readBooking);
        await writeAudit(db, {
          actor,
          action: 'dead_letter_replayed',
          subject: letter.id,
          details: { outcome: replayed.outcome },
        });
        return replayed;
      });
      output.result({ id, ...result }, () => explain(result));
      if (result.outcome !== 'replayed') process.exitCode = 1;
    });
}

async function find(db: Parameters<typeof findDeadLetter>[0], id: string): Promise<DeadLetter> {
  const letter = await findDeadLetter(db, parseUuid('id', id));
  if (letter === null) throw new CommandError(`no dead letter ${id}`);
  return letter;
}

const readBooking: ReadBooking = (payload) => {
  const parsed = parseBookingEvent(payload);
  if (parsed.ok) return { ok: true, intent: toDesiredBooking(parsed.event) };
  return { ok: false, reason: parsed.issues.map((issue) => `${issue.path || 'payload'}: ${issue.message}`).join('; ') };
};

function explain(result: ReplayResult): string {
  switch (result.outcome) {
    case 'replayed':
      return 'due again; the sweep starts it within seconds';
    case 'already_replayed':
      return 'somebody replayed it already';
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
