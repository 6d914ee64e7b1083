/** Every drill there is, in the order in which their results are shown. */
import type { Drill } from './drill.ts';
import { allowlistAtTheDoor } from './drills/allowlist-at-the-door.ts';
import { allowlists } from './drills/allowlists.ts';
import { databaseOutage } from './drills/database-outage.ts';
import { exactlyOnce } from './drills/exactly-once.ts';
import { failedSync } from './drills/failed-sync.ts';
import { flagOffMidSync } from './drills/flag-off-mid-sync.ts';
import { flagsDefaultOff } from './drills/flags-default-off.ts';
import { flagsRollback } from './drills/flags-rollback.ts';
import { gracefulDegradation } from './drills/graceful-degradation.ts';
import { inboundSync } from './drills/inbound-sync.ts';
import { killedProcesses } from './drills/killed-processes.ts';
import { malformedNotifications } from './drills/malformed-notifications.ts';
import { metricsAndAlerts } from './drills/metrics-and-alerts.ts';
import { migrationsRollback } from './drills/migrations-rollback.ts';
import { migrationsVerified } from './drills/migrations-verified.ts';
import { noSecretsInLogs } from './drills/no-secrets-in-logs.ts';
import { notificationProof } from './drills/notification-proof.ts';
import { outboundSync } from './drills/outbound-sync.ts';
import { providerOutage } from './drills/provider-outage.ts';
import { queueOutage } from './drills/queue-outage.ts';
import { replayStorm } from './drills/replay-storm.ts';
import { revokedGrant } from './drills/revoked-grant.ts';
import { signedBodies } from './drills/signed-bodies.ts';
import { throttledConnection } from './drills/throttled-connection.ts';

export const ALL_DRILLS: readonly Drill[] = [
  // Validation: it does what it promises.
  inboundSync,
  outboundSync,
  exactlyOnce,
  allowlistAtTheDoor,
  allowlists,
  flagsDefaultOff,
  notificationProof,
  signedBodies,
  malformedNotifications,
  replayStorm,
  metricsAndAlerts,
  // Failures: what goes wrong costs time and nothing else.
  failedSync,
  throttledConnection,
  revokedGrant,
  providerOutage,
  gracefulDegradation,
  databaseOutage,
  queueOutage,
  killedProcesses,
  // The way back.
  flagOffMidSync,
  flagsRollback,
  migrationsRollback,
  // What all of them left behind.
  migrationsVerified,
  noSecretsInLogs,
];
