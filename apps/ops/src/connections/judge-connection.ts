/** How a connection is, in a word and a sentence. Pure. */
import { type Connection, isDisconnecting } from '@bookiji/db';
import type { Obstacle } from '@bookiji/flags';
import type { Tone } from '../html/parts.ts';
import { formatSeconds } from '../html/times.ts';

export interface Judgement {
  readonly tone: Tone;
  readonly label: string;
  readonly sentence: string;
}

export interface Circumstances {
  readonly now: Date;
  /** Why work on it may not be done now; null when it may. */
  readonly obstacle: Obstacle | null;
  readonly reconcileSeconds: number;
  /** Whether its calendar shows something that may block and cannot be read. */
  readonly hasDoubts: boolean;
}

const OBSTACLES: Readonly<Record<Obstacle, Judgement>> = {
  flag_off: {
    tone: 'off',
    label: 'stopped',
    sentence: 'A flag is off, so nothing is synced or written. Whatever comes due waits.',
  },
  switched_off: {
    tone: 'off',
    label: 'paused',
    sentence: 'An operator paused this connection or its calendar provider. Whatever comes due waits.',
  },
  not_allowlisted: {
    tone: 'off',
    label: 'not allowlisted',
    sentence: 'It is not on the allowlist, so new work is refused. Its rows are kept.',
  },
};

export function judgeConnection(connection: Connection, circumstances: Circumstances): Judgement {
  const { obstacle } = circumstances;
  if (isDisconnecting(connection)) {
    return {
      tone: 'busy',
      label: 'disconnecting',
      sentence: 'Its channel is being closed and its grant revoked; then it is erased.',
    };
  }
  if (connection.status === 'reauth_required') {
    return { tone: 'bad', label: 'needs reconnecting', sentence: 'Parked until its owner reconnects the calendar.' };
  }
  if (connection.status === 'disabled') {
    return {
      tone: 'bad',
      label: 'disabled',
      sentence: connection.statusReason ?? 'Given up until its owner reconnects.',
    };
  }
  if (obstacle !== null) return OBSTACLES[obstacle];
  return judgeActive(connection, circumstances);
}

function judgeActive(connection: Connection, { now, reconcileSeconds, hasDoubts }: Circumstances): Judgement {
  const { backoffUntil, errorCount, lastSyncedAt, syncNeeded } = connection;
  const waitMs = backoffUntil === null ? 0 : backoffUntil.getTime() - now.getTime();
  if (waitMs > 0 && (errorCount > 0 || connection.lastError !== null)) {
    const tries = errorCount === 1 ? 'one failed try' : `${errorCount} failed tries`;
    const after = errorCount === 0 ? 'Waiting' : `Backing off after ${tries}`;
    return {
      tone: 'warn',
      label: 'backing off',
      sentence: `${after}; the next one is in ${formatSeconds(Math.ceil(waitMs / 1000))}.`,
    };
  }
  if (errorCount > 0)
    return { tone: 'warn', label: 'failing', sentence: 'The last try failed; the next one is due now.' };
  if (lastSyncedAt === null)
    return { tone: 'busy', label: 'first sync', sentence: 'Connected; the first sync has not finished yet.' };
  const behindSeconds = (now.getTime() - lastSyncedAt.getTime()) / 1000;
  if (behindSeconds > 3 * reconcileSeconds) {
    return {
      tone: 'warn',
      label: 'behind',
      sentence: `Not synced for ${formatSeconds(behindSeconds)}: its busy time cannot be trusted.`,
    };
  }
  if (hasDoubts) {
    return {
      tone: 'warn',
      label: 'in doubt',
      sentence: 'Synced, but something in it may block and cannot be read: its free time is not trusted.',
    };
  }
  if (syncNeeded === true)
    return { tone: 'busy', label: 'syncing', sentence: 'A change was announced; a sync is running or about to.' };
  return { tone: 'good', label: 'healthy', sentence: 'In step with its calendar.' };
}
