/** Every drill there is, in the order in which their results are shown. */
import type { Drill } from './drill.ts';
import { exactlyOnce } from './drills/exactly-once.ts';
import { inboundSync } from './drills/inbound-sync.ts';
import { malformedNotifications } from './drills/malformed-notifications.ts';
import { notificationProof } from './drills/notification-proof.ts';
import { outboundSync } from './drills/outbound-sync.ts';
import { replayStorm } from './drills/replay-storm.ts';
import { signedBodies } from './drills/signed-bodies.ts';

export const ALL_DRILLS: readonly Drill[] = [
  inboundSync,
  outboundSync,
  exactlyOnce,
  notificationProof,
  signedBodies,
  malformedNotifications,
  replayStorm,
];
