import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type BookingEventMessage,
  parseBookingEvent,
  publishBookingEvents,
  QUEUE_NAMES,
  republishBookings,
} from '@bookiji/queues';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { logAfterwards } from '../operator-log.ts';

/** `republish <file>`: booking events, one JSON document a line, onto their queue. */
export function addRepublishCommand(program: Command, context: CommandContext): void {
  program
    .command('republish')
    .description('publish the present state of bookings again: after a restored backup or a lost queue')
    .argument('<file>', 'one booking event a line, as JSON')
    .option('--dry-run', 'read and validate, publish nothing')
    .addHelpText(
      'after',
      `${examples(
        ['republish bookings.ndjson --dry-run', 'are all of them valid'],
        ['republish bookings.ndjson', 'what is known already changes nothing'],
      )}\n\nThe booking service writes the file: each booking once, in its present version (docs/booking-service.md).`,
    )
    .action(async (file: string, options: { dryRun?: boolean }) => {
      const total = await checkAll(file);
      if (options.dryRun === true || total === 0)
        return context.output.result({ valid: total, published: 0 }, () => `${total} valid, none published`);
      const bar = context.output.progress('publishing', total);
      let published = 0;
      const onProgress = (count: number) => {
        published = count;
        bar.show(count);
      };
      try {
        await context.withQueues(async (queues) => {
          await queues.ping();
          const publish = (batch: readonly BookingEventMessage[]) => publishBookingEvents(queues, batch);
          return republishBookings(readEvents(file), publish, { onProgress });
        });
      } finally {
        bar.end();
        // Also of a run that broke off.
        if (published > 0) await log(context, file, published);
      }
      context.output.result({ valid: total, published }, () => `${published} published`);
    });
}

/** Redis alone is enough for publishing: without a database of its own name there is none to write it to. */
async function log(context: CommandContext, file: string, published: number): Promise<void> {
  const { DATABASE_URL: database, REDIS_URL: redis } = context.environment;
  if (redis && !database) return context.output.note('not written to the operator log: DATABASE_URL is not set');
  const details = { file: basename(file), published };
  await logAfterwards(context, { action: 'bookings_republished', subject: QUEUE_NAMES.bookingEvents, details });
}

/** Reads all of it first: half a file published is worse than none. */
async function checkAll(file: string): Promise<number> {
  let count = 0;
  for await (const _ of readEvents(file)) count += 1;
  return count;
}

async function* readEvents(file: string): AsyncGenerator<BookingEventMessage> {
  const handle = await open(file).catch(() => {
    throw new CommandError(`${file} cannot be read`, EXIT.usage);
  });
  let number = 0;
  for await (const line of handle.readLines()) {
    number += 1;
    if (line.trim() !== '') yield readEvent(line, number);
  }
}

function readEvent(line: string, number: number): BookingEventMessage {
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch {
    throw new CommandError(`line ${number} is not JSON; nothing was published`);
  }
  const parsed = parseBookingEvent(data);
  if (parsed.ok) return data as BookingEventMessage;
  const issues = parsed.issues.map(({ path, message }) => `${path || 'payload'}: ${message}`).join('; ');
  throw new CommandError(`line ${number}: ${issues}; nothing was published`);
}
