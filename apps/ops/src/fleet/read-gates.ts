import type { WorkGates, WorkKind } from '@bookiji/db';
import { type FlagBoard, mayWork, switchName } from '@bookiji/flags';
import { QUEUE_NAMES } from '@bookiji/queues';

/** What the flags and switches let be worked on now; what they do not is parked, and nothing that should wake anybody. */
export function readGates(flags: FlagBoard): WorkGates {
  const isOn = mayWork(flags);
  const isLetIn: Readonly<Record<WorkKind, boolean>> = {
    inbound: isOn && flags.isSwitchOn(switchName('queue', QUEUE_NAMES.inboundSync)),
    outbound: isOn && flags.isSwitchOn(switchName('queue', QUEUE_NAMES.outboundSync)) && !flags.isShadowing(),
  };
  return { allow: flags.allowlists, off: (['inbound', 'outbound'] as const).filter((kind) => !isLetIn[kind]) };
}
