/**
 * What operators may see of a payload: its shape, ids, times and numbers. Any other text (titles, notes, names,
 * addresses) is told by its length alone, also where a payload is malformed and nobody knows what stands where.
 */
import { isUuid } from '@bookiji/db';
import { bookingEventSchema, EXTERNAL_CHANGE_KINDS, retryJob } from '@bookiji/queues';

const INSTANT = /^\d{4}-\d{2}-\d{2}([T ][\d:.]{4,15}(Z|[+-]\d{2}:?\d{2})?)?$/;
/** All words that payloads of ours know, and the one zone that has no continent. */
const WORDS: ReadonlySet<string> = new Set([
  ...bookingEventSchema.options.map(({ shape }) => shape.type.value),
  ...retryJob.options.map(({ shape }) => shape.task.value),
  ...EXTERNAL_CHANGE_KINDS,
  'UTC',
]);
const ZONE = /^(Africa|America|Antarctica|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[A-Za-z_+\-/0-9]{1,40}$/;
/** A name of a field; anything else in its place might be content. */
const FIELD = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;
const DEEPEST = 6;
const MOST_ITEMS = 50;

export function hidePersonal(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return isHarmless(value) ? value : describeText(value);
  if (typeof value !== 'object') return `(${typeof value})`;
  if (depth >= DEEPEST) return '(deeper)';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => hidePersonal(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ITEMS)
      .map(([name, item], index) => [FIELD.test(name) ? name : `(field ${index + 1})`, hidePersonal(item, depth + 1)]),
  );
}

function isHarmless(text: string): boolean {
  return isUuid(text) || INSTANT.test(text) || WORDS.has(text) || ZONE.test(text);
}

function describeText(text: string): string {
  return text === ''
    ? '(empty text)'
    : `(hidden text, ${text.length} ${text.length === 1 ? 'character' : 'characters'})`;
}
