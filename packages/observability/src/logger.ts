import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The process's role: ingress, inbound-worker … */
  readonly role: string;
  readonly level: string;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}

/** Names under which something secret or personal might be logged by mistake; their values never come out. */
const SECRET_NAMES = [
  'access_token',
  'accessToken',
  'authorization',
  'attendee',
  'client_secret',
  'clientState',
  'code',
  'code_verifier',
  'cookie',
  'cursor',
  'email',
  'id_token',
  'notes',
  'password',
  'refreshToken',
  'refresh_token',
  'secret',
  'summary',
  'title',
  'token',
];

/** JSON lines with `time`, `level`, `role` and `msg`; one wide line per attempt, written at its end. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { role: options.role },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
      serializers: { err: describeError, error: describeError },
    },
    // Nothing waits for a second line; but only with a least length can a flush be waited for.
    options.destination ?? pino.destination({ dest: 1, sync: false, minLength: 1 }),
  );
}

/**
 * Resolves when everything logged has been written, or cannot be: its reader is gone, or has stood still for `withinMs`.
 * What is left is then given up, since pino would try to write it forever while the process ends, and the process would
 * never end.
 */
export async function flushLog(logger: Logger, withinMs = 1_000): Promise<void> {
  const isWritten = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, withinMs, false);
    logger.flush((error) => {
      clearTimeout(timer);
      resolve(error === undefined || error === null);
    });
  });
  if (isWritten) return;
  const destination = (logger as unknown as Record<symbol, { flushSync?: () => void }>)[pino.symbols.streamSym];
  if (destination !== undefined) destination.flushSync = () => undefined;
}

/** The parts of an error that are ours or stable words of others; never what was sent or received. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: 'unknown' };
  const { kind, reason, status, requestId, operation, code } = error as unknown as Record<string, unknown>;
  const isProviderError = typeof kind === 'string';
  // A database error's message can repeat a value; its code says enough. Errors of ours carry no content.
  const cause = error.cause as { code?: unknown; words?: unknown } | undefined;
  const sqlState = typeof cause?.code === 'string' ? cause.code : undefined;
  return withoutMissing({
    name: error.name,
    message: sqlState === undefined ? error.message.split('\n')[0] : undefined,
    code: typeof code === 'string' ? code : sqlState,
    ...(isProviderError ? { kind, reason, status, operation, request_id: requestId, words: cause?.words } : {}),
    stack: isProviderError || sqlState !== undefined ? undefined : error.stack,
  });
}

function withoutMissing(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
