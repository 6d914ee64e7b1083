import type { WorkGates, WorkKind } from '@bookiji/db';
import { type FlagBoard, switchName } from '@bookiji/flags';
import { QUEUE_NAMES } from '@bookiji/queues';

/** What the flags and switches let be worked on now; what they do not is parked, and nothing that should wake anybody. */
export function readGates(flags: FlagBoard): WorkGates {
  const isOn = flags.isOn('CALENDAR_JOBS_ENABLED') && flags.isOn('CALENDAR_SYNC_ENABLED');
  const mayWork: Readonly<Record<WorkKind, boolean>> = {
    inbound: isOn && flags.isSwitchOn(switchName('queue', QUEUE_NAMES.inboundSync)),
    outbound: isOn && flags.isSwitchOn(switchName('queue', QUEUE_NAMES.outboundSync)) && !flags.isShadowing(),
  };
  return { allow: flags.allowlists, off: (['inbound', 'outbound'] as const).filter((kind) => !mayWork[kind]) };
}
