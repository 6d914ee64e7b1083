/**
 * What may be tuned. The defaults are the documented figures; a benchmark lifts the quotas with
 * `PUT /sandbox/settings`.
 */
import { z } from 'zod';

const count = z.number().int().min(0);
const limit = count.nullable();

export const settingsShape = z.object({
  google: z.object({
    /** developers.google.com/workspace/calendar/api/guides/quota: 600 a minute per user and project. Null: no limit. */
    user_requests_per_minute: limit,
    /** developers.google.com/workspace/calendar/api/guides/quota: 10,000 a minute per project. Null: no limit. */
    project_requests_per_minute: limit,
    /**
     * Both say the same; users meet 403, projects 429 unless one is asked for here.
     * See developers.google.com/workspace/calendar/api/guides/errors.
     */
    quota_status: z.union([z.literal(403), z.literal(429)]).nullable(),
    /** An access token's life: developers.google.com/identity/protocols/oauth2. */
    access_token_seconds: count,
    /** Observed, not documented: longer wishes are cut to 30 days. */
    max_channel_seconds: count,
    /** How long a sync token lives; null forever (it still dies on order). */
    sync_token_seconds: limit,
    /** Last pages without a nextSyncToken have been reported. */
    omit_sync_token: z.boolean(),
    /**
     * A page may hold fewer items than asked for.
     * See developers.google.com/workspace/calendar/api/v3/reference/events/list.
     */
    max_page_size: z.number().int().min(1),
    latency_ms: count,
  }),
  microsoft: z.object({
    /**
     * 10,000 requests in ten minutes per app and mailbox. Null: no limit.
     * See learn.microsoft.com/graph/throttling-limits.
     */
    mailbox_requests_per_10_minutes: limit,
    /** learn.microsoft.com/graph/throttling-limits: four at once per app and mailbox. Null: no limit. */
    mailbox_concurrency: limit,
    access_token_seconds: count,
    /** learn.microsoft.com/graph/api/resources/subscription: 10,080 minutes. */
    max_subscription_minutes: count,
    /** The documentation says 409; some saw duplicates accepted. */
    refuse_duplicate_subscriptions: z.boolean(),
    /**
     * Outlook's change tokens have no fixed life; null forever (they still die on order).
     * See learn.microsoft.com/graph/delta-query-overview.
     */
    delta_token_seconds: limit,
    /**
     * A page may be empty and still have a nextLink. Every n-th page is; 0 for none.
     * See learn.microsoft.com/graph/delta-query-overview.
     */
    empty_page_every: count,
    /**
     * The same item may appear several times. Each page repeats the last item of the one before.
     * See learn.microsoft.com/graph/delta-query-overview.
     */
    repeat_items: z.boolean(),
    /** A page may hold fewer items than preferred. */
    max_page_size: z.number().int().min(1),
    /**
     * A change appears in the feed some time after it was made, and notified.
     * See learn.microsoft.com/graph/delta-query-overview.
     */
    feed_lag_ms: count,
    /** Observed, not documented: one edit yields 2 to 4 notifications. */
    notifications_per_change: z.number().int().min(1).max(4),
    /** Changes within this time share a batch. */
    batch_ms: count,
    latency_ms: count,
  }),
  /**
   * What a calendar makes of what an application writes, as some hosts do: texts are trimmed and cut, times grow to whole
   * minutes, properties come back in another order. The answer to the write shows it already.
   */
  normalise: z.object({ writes: z.boolean() }),
  notifications: z.object({
    /** First wait before a failed delivery is tried again; doubles each time. Short, so that nobody waits. */
    retry_base_ms: z.number().int().min(1),
    max_attempts: z.number().int().min(1),
    timeout_ms: z.number().int().min(1),
  }),
  /**
   * What no real provider does: each takes away something that exactly-once rests on. A test that still passes with one of
   * them cannot see what that defence prevents.
   */
  forget: z.object({
    /** Every event gets an id of the provider's making, and a repeated `transactionId` means nothing. */
    client_ids: z.boolean(),
    /** A write goes through whatever etag it names. */
    if_match: z.boolean(),
  }),
});

export type SandboxSettings = z.output<typeof settingsShape>;

export const partialSettingsShape = z
  .object({
    google: settingsShape.shape.google.partial(),
    microsoft: settingsShape.shape.microsoft.partial(),
    normalise: settingsShape.shape.normalise.partial(),
    notifications: settingsShape.shape.notifications.partial(),
    forget: settingsShape.shape.forget.partial(),
  })
  .partial()
  .strict();

export type PartialSettings = z.input<typeof partialSettingsShape>;

export function defaultSettings(): SandboxSettings {
  return {
    google: {
      user_requests_per_minute: 600,
      project_requests_per_minute: 10_000,
      quota_status: null,
      access_token_seconds: 3600,
      max_channel_seconds: 30 * 86_400,
      sync_token_seconds: null,
      omit_sync_token: false,
      max_page_size: 2500,
      latency_ms: 0,
    },
    microsoft: {
      mailbox_requests_per_10_minutes: 10_000,
      mailbox_concurrency: 4,
      access_token_seconds: 3600,
      max_subscription_minutes: 10_080,
      refuse_duplicate_subscriptions: true,
      delta_token_seconds: null,
      empty_page_every: 3,
      repeat_items: true,
      max_page_size: 1000,
      feed_lag_ms: 0,
      notifications_per_change: 1,
      batch_ms: 10,
      latency_ms: 0,
    },
    normalise: { writes: false },
    notifications: { retry_base_ms: 200, max_attempts: 8, timeout_ms: 10_000 },
    forget: { client_ids: false, if_match: false },
  };
}

/** Writes what is given into `settings`, and leaves the rest. */
export function changeSettings(settings: SandboxSettings, change: PartialSettings): void {
  const given = partialSettingsShape.parse(change);
  Object.assign(settings.google, withoutUndefined(given.google));
  Object.assign(settings.microsoft, withoutUndefined(given.microsoft));
  Object.assign(settings.normalise, withoutUndefined(given.normalise));
  Object.assign(settings.notifications, withoutUndefined(given.notifications));
  Object.assign(settings.forget, withoutUndefined(given.forget));
}

function withoutUndefined(part: object | undefined): object {
  return Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined));
}
