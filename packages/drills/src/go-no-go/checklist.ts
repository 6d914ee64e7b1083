/** What has to be shown before the product is let near real providers. Every drill stands under at least one item. */
export interface ChecklistItem {
  readonly name: string;
  readonly title: string;
  /** Every one of them must have passed. */
  readonly drills: readonly string[];
}

export const CHECKLIST: readonly ChecklistItem[] = [
  { name: 'flags-default-off', title: 'every flag is off unless it is turned on', drills: ['flags-default-off'] },
  {
    name: 'allowlists-enforced',
    title: 'only who is on the lists is served',
    drills: ['allowlist-at-the-door', 'allowlists'],
  },
  {
    name: 'migrations-verified',
    title: 'the schema is current and keeps its rules',
    drills: ['migrations-verified'],
  },
  { name: 'sync-both-ways', title: 'sync works both ways', drills: ['inbound-sync', 'outbound-sync'] },
  { name: 'no-duplicates', title: 'nothing happens twice', drills: ['exactly-once', 'replay-storm'] },
  { name: 'metrics-and-alerts', title: 'metrics and alerts are live', drills: ['metrics-and-alerts'] },
  { name: 'logs-redacted', title: 'logs hold nothing private', drills: ['no-secrets-in-logs'] },
  {
    name: 'backoff-works',
    title: 'failures are waited for, and recovery needs nobody',
    drills: ['failed-sync', 'throttled-connection', 'revoked-grant', 'provider-outage'],
  },
  {
    name: 'signatures-enforced',
    title: 'what cannot be proven genuine is refused',
    drills: ['notification-proof', 'signed-bodies', 'malformed-notifications'],
  },
  {
    name: 'outages-survived',
    title: 'what is taken away costs time, never work',
    drills: ['graceful-degradation', 'database-outage', 'queue-outage', 'killed-processes'],
  },
  {
    name: 'rollback-drilled',
    title: 'migrations and flags go back and forth',
    drills: ['migrations-rollback', 'flags-rollback', 'flag-off-mid-sync'],
  },
];
