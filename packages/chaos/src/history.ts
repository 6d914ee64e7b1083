/** The sandbox's history as an auditor reads it: every committed write, in order, by the owner or by a client. */
export interface HistoryEntry {
  readonly sequence: number;
  readonly at: string;
  readonly calendar_provider: 'google' | 'microsoft';
  /** The account's address. */
  readonly calendar: string;
  readonly author: 'owner' | 'client';
  readonly operation: string;
  /** The sandbox's own id of the event. */
  readonly event_id: string;
  /** The id that clients see. */
  readonly item_id: string;
  readonly status: 'live' | 'cancelled';
  readonly start: string;
  readonly end: string;
  readonly title: string | null;
}

/** A workload's title says what the event is for, so that the auditor needs none of the product's markers. */
export function bookingTitle(bookingId: string, version: number): string {
  return `${bookingId} v${version}`;
}

/** Null for what is no booking's event. */
export function readBookingTitle(title: string | null): { bookingId: string; version: number } | null {
  const match = /^([0-9a-f-]{36}) v(\d+)$/.exec(title ?? '');
  return match === null ? null : { bookingId: match[1] as string, version: Number(match[2]) };
}

export async function readHistory(sandboxUrl: string): Promise<HistoryEntry[]> {
  const response = await fetch(`${sandboxUrl}/sandbox/history`);
  if (!response.ok) throw new Error(`the sandbox answered ${response.status} when asked for its history`);
  return ((await response.json()) as { entries: HistoryEntry[] }).entries;
}
