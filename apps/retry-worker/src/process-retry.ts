import { retryJob } from '@bookiji/queues';
import { type DisconnectWishDeps, disconnectAsWished } from './disconnect-connection.ts';
import { type AuditJobDeps, processAudit } from './process-audit.ts';
import { type KeepChannelJobDeps, processKeepChannel } from './process-keep-channel.ts';

export type RetryDeps = AuditJobDeps & KeepChannelJobDeps & DisconnectWishDeps;

/** Audits, channel upkeep and disconnects, one connection per job. A sweep finds again what fails. */
export function createRetryProcessor(deps: RetryDeps) {
  return async (data: unknown, signal: AbortSignal): Promise<string> => {
    const job = retryJob.parse(data);
    switch (job.task) {
      case 'audit':
        return processAudit(deps, job.connection_id, signal);
      case 'keep_channel':
        return processKeepChannel(deps, job.connection_id, signal);
      case 'disconnect':
        return disconnectAsWished(deps, job.connection_id);
    }
  };
}
