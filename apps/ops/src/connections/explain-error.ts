/** What a stored error means in plain words, what to do about it, and where that is told at length. Pure. */
import type { LastError } from '@bookiji/db';
import { nameOf } from '../fleet/judge-fleet.ts';

export interface Explanation {
  readonly what: string;
  readonly todo: string;
  /** A file of `docs/runbooks`, without its ending. */
  readonly runbook: string;
}

export function explainError(error: LastError, calendarProvider: string): Explanation {
  const name = nameOf(calendarProvider);
  switch (error.kind) {
    case 'transient':
      return explainTransient(error, name);
    case 'rate_limited':
      return {
        what: `${name} asked us to slow down for this account. It is left alone for as long as ${name} said; no attempt is spent.`,
        todo: 'Wait. If many connections show this at once, read the runbook.',
        runbook: 'calendar-provider-throttled',
      };
    case 'auth_revoked':
      return {
        what: `The owner’s account at ${name} no longer lets us in: access was withdrawn, a password changed, or an administrator removed it.`,
        todo: 'Nobody here can repair it. Send the provider a connect link; everything resumes when they connect again.',
        runbook: 'calendar-auth-revoked-spike',
      };
    case 'cursor_expired':
      return {
        what: `${name} forgot our place in its list of changes, as it may. The next sync reads the whole window again.`,
        todo: 'Nothing: this repairs itself with the next sync.',
        runbook: 'calendar-sync-failures',
      };
    case 'not_found':
      return {
        what: `${name} does not know this calendar any more: it was deleted, or is no longer shared with this account.`,
        todo: 'Ask the provider whether they removed it. They connect again with the calendar they want to use.',
        runbook: 'calendar-sync-failures',
      };
    case 'conflict':
      return {
        what: 'The calendar was changed at the same moment as we wrote. It is read again before the next try.',
        todo: 'Nothing, unless it stays for several tries.',
        runbook: 'calendar-sync-failures',
      };
    case 'permanent':
      return {
        what: `${name} refused what was asked${statusOf(error)}, and asking again will not change its mind.`,
        todo: `Look the reason up below and take it, with the request id, to ${name}’s support or to a developer.`,
        runbook: 'calendar-unknown-answers',
      };
    default:
      return {
        what: 'Something failed on our side.',
        todo: 'The log has the whole story; search it for the connection’s id.',
        runbook: 'calendar-jobs-throwing',
      };
  }
}

const ON_THE_WAY: Readonly<Record<string, string>> = {
  connection_refused: 'nobody listens at the address',
  connection_reset: 'the connection broke off',
  host_unreachable: 'there is no way to the host',
  name_not_resolved: 'the name could not be resolved',
  network_failure: 'the network failed',
  tls_failure: 'no secure connection came about',
};

function explainTransient(error: LastError, name: string): Explanation {
  const onTheWay = ON_THE_WAY[error.reason];
  if (onTheWay !== undefined) {
    return {
      what: `${name} could not be reached: ${onTheWay}.`,
      todo: 'Look at DNS, egress rules and proxies of the workers’ hosts. Work waits and follows by itself.',
      runbook: 'calendar-breaker-open',
    };
  }
  if (error.reason === 'breaker_open') {
    return {
      what: `${name} has failed so often lately that it is not being called at the moment. No attempt is spent.`,
      todo: `Wait for ${name} to recover: one call is let through now and then to see.`,
      runbook: 'calendar-breaker-open',
    };
  }
  if (error.reason === 'timeout') {
    return {
      what: `${name} did not answer in time.`,
      todo: 'Wait for the next try, or press Sync now. If it persists, see whether it is one account or all.',
      runbook: 'calendar-sync-latency-p95',
    };
  }
  return {
    what: `${name} is unwell: it answered with a failure of its own${statusOf(error)}.`,
    todo: `Look at ${name}’s status page. When it is well again, press Sync now, or wait for the next try.`,
    runbook: 'calendar-sync-failures',
  };
}

function statusOf({ status }: LastError): string {
  return status === undefined ? '' : ` (HTTP ${status})`;
}
