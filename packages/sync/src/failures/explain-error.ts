/**
 * What a stored error means in plain words, what to do about it, and where that is told at length: for the console and for
 * the command line alike. Pure.
 */
import type { LastError } from '@bookiji/db';

export interface Explanation {
  readonly what: string;
  readonly todo: string;
  /** A file of `docs/runbooks`, without its ending. */
  readonly runbook: string;
}

/** As its owners call it: `Google`, `Microsoft`. */
export function nameOfCalendarProvider(calendarProvider: string): string {
  return calendarProvider === 'google' ? 'Google' : 'Microsoft';
}

export function explainError(error: LastError, calendarProvider: string): Explanation {
  const name = nameOfCalendarProvider(calendarProvider);
  switch (error.kind) {
    case 'transient':
      return explainTransient(error, name);
    case 'rate_limited':
      return {
        what: `${name} asked us to slow down for this account. We wait as long as ${name} said, and longer each time where it did not say.`,
        todo: 'Nothing: wait. If many connections show this at once, read the runbook.',
        runbook: 'calendar-provider-throttled',
      };
    case 'auth_revoked':
      return {
        what: `The owner’s account at ${name} no longer lets us in: access was withdrawn, a password changed, or an administrator removed it.`,
        todo: 'Only the owner can fix this. Send them a connect link; everything resumes once they have reconnected.',
        runbook: 'calendar-auth-revoked-spike',
      };
    case 'cursor_expired':
      return {
        what: `${name} no longer knows our place in its list of changes, which happens. The next sync reads the whole window again.`,
        todo: 'Nothing: the next sync puts this right.',
        runbook: 'calendar-sync-failures',
      };
    case 'not_found':
      return {
        what: `${name} no longer has this calendar: it was deleted, or is no longer shared with this account.`,
        todo: 'Ask the owner whether they removed it. They reconnect with the calendar they want to use.',
        runbook: 'calendar-sync-failures',
      };
    case 'conflict':
      return {
        what: 'The calendar changed at the very moment we wrote to it. It is read again before the next try.',
        todo: 'Nothing, unless it persists over several tries.',
        runbook: 'calendar-sync-failures',
      };
    case 'permanent':
      return {
        what: `${name} refused the request${statusOf(error)}, and asking again will not help.`,
        todo: `Take the reason and the request id shown here to a developer or to ${name}’s support.`,
        runbook: 'calendar-unknown-answers',
      };
    default:
      return {
        what: 'Something failed on our side.',
        todo: 'The log has the full story: search it for the connection’s id.',
        runbook: 'calendar-jobs-throwing',
      };
  }
}

const ON_THE_WAY: Readonly<Record<string, string>> = {
  connection_refused: 'nothing listens at its address',
  connection_reset: 'the connection was cut off',
  host_unreachable: 'there is no route to the host',
  name_not_resolved: 'the name could not be resolved',
  network_failure: 'the network failed',
  tls_failure: 'no secure connection could be made',
};

function explainTransient(error: LastError, name: string): Explanation {
  const onTheWay = ON_THE_WAY[error.reason];
  if (onTheWay !== undefined) {
    return {
      what: `${name} could not be reached: ${onTheWay}.`,
      todo: 'Check DNS, egress rules and proxies on the workers’ hosts. Work waits and resumes by itself.',
      runbook: 'calendar-breaker-open',
    };
  }
  if (error.reason === 'breaker_open') {
    return {
      what: `${name} has failed so often lately that we have stopped calling it for now. This does not count as a failed try.`,
      todo: `Wait for ${name} to recover: a single call is let through now and then to find out.`,
      runbook: 'calendar-breaker-open',
    };
  }
  if (error.reason === 'timeout') {
    return {
      what: `${name} did not answer in time.`,
      todo: 'Wait for the next try, or sync it now. If it persists, see whether one account is affected or all of them.',
      runbook: 'calendar-sync-latency-p95',
    };
  }
  return {
    what: `${name} is having trouble: it answered with an error of its own${statusOf(error)}.`,
    todo: `Check ${name}’s status page. Once it has recovered, sync it now or wait for the next try.`,
    runbook: 'calendar-sync-failures',
  };
}

function statusOf({ status }: LastError): string {
  return status === undefined ? '' : ` (HTTP ${status})`;
}
