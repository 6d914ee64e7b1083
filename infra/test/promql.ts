/** As much of PromQL as a check of names needs; promtool judges the grammar. */

const GROUPING = /\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g;

export interface Selector {
  /** As written, with `_bucket`, `_sum` or `_count` of a histogram. */
  readonly name: string;
  readonly matchers: ReadonlyMap<string, string>;
}

/** Every place where a metric of ours is read. */
export function findSelectors(expression: string): Selector[] {
  return [
    ...withoutComments(expression)
      .replace(GROUPING, '')
      .matchAll(/\b(calendar_[a-z0-9_]+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', matchers = '']) => ({
    name,
    matchers: new Map(
      [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', value = '']) => [
        label,
        value,
      ]),
    ),
  }));
}

/** Labels that are summed or joined by. */
export function findGroupings(expression: string): string[] {
  return [...withoutComments(expression).matchAll(GROUPING)].flatMap(([, labels = '']) =>
    labels
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  );
}

/** Recorded series: names with colons. */
export function findRecorded(expression: string): string[] {
  return [...withoutComments(expression).matchAll(/\bcalendar:[a-z0-9_:]+/g)].map(([name]) => name);
}

/** What each function over time is applied to. */
export function findRates(expression: string): { readonly of: string; readonly name: string }[] {
  return [...withoutComments(expression).matchAll(/\b(rate|increase|delta)\(\s*(calendar_[a-z0-9_]+)/g)].map(
    ([, of = '', name = '']) => ({ of, name }),
  );
}

function withoutComments(expression: string): string {
  return expression.replace(/^\s*#.*$/gm, '');
}
