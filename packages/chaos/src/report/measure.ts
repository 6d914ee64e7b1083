/** Figures of a run from the stage itself: what the sandbox served and sent, and what the fleet's processes counted. */
import type { Stage } from '../stage/open-stage.ts';

export interface ProviderFigures {
  readonly requests: number;
  /** `events.insert 409` → how often, refusals and lost answers (status 0) alone. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly notifications: number;
  readonly notificationRequests: number;
  readonly withheld: number;
}

interface Totals {
  readonly notifications: number;
  readonly requests: number;
  readonly withheld: number;
}

export async function measureProviders({ sandbox }: Stage): Promise<ProviderFigures> {
  const { counts, total } = await sandbox.order<{
    counts: { operation: string; status: number; count: number }[];
    total: number;
  }>('GET', '/requests?recent=0');
  const { totals } = await sandbox.order<{ totals: Record<string, Totals> }>('GET', '/notifications?limit=0');
  const refusals: Record<string, number> = {};
  for (const { operation, status, count } of counts) {
    const key = `${operation} ${status}`;
    if (status === 0 || status >= 400) refusals[key] = (refusals[key] ?? 0) + count;
  }
  const sum = (read: (one: Totals) => number) => Object.values(totals).reduce((all, one) => all + read(one), 0);
  return {
    requests: total,
    refusals,
    notifications: sum((one) => one.notifications),
    notificationRequests: sum((one) => one.requests),
    withheld: sum((one) => one.withheld),
  };
}

/** What the fleet's processes reported, dead ones included: `calendar_jobs_total outcome=lease_lost` → how often. */
export async function measureFleet({ sql }: Stage): Promise<Record<string, number>> {
  const rows = await sql<{ metrics: Metric[] }[]>`SELECT metrics FROM processes`;
  const figures: Record<string, number> = {};
  for (const { metrics } of rows) {
    for (const metric of metrics) {
      if (metric.type !== 'counter') continue;
      for (const { labels, value } of metric.values) {
        const key = [metric.name, ...Object.entries(labels).map(([name, text]) => `${name}=${text}`)].join(' ');
        figures[key] = (figures[key] ?? 0) + value;
      }
    }
  }
  return figures;
}

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly labels: Record<string, string>; readonly value: number }[];
}
