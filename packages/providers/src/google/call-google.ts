import { type calendar_v3, calendar as createCalendar } from '@googleapis/calendar';
import { type CalendarSession, type Operation, ProviderError } from '../contract/index.ts';
import { classifyError, type GoogleFailure } from './classify-error.ts';

/** Options of one call as the client takes them. */
export interface CallOptions {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly retry: false;
}

/** The real client, pointed at `apiBaseUrl`. */
export function openClient(apiBaseUrl: string): calendar_v3.Calendar {
  return createCalendar({ version: 'v3', rootUrl: `${apiBaseUrl.replace(/\/+$/, '')}/` });
}

/**
 * One call with the connection's token: the client's own retries are off (two layers of them hide limits and double the
 * load), and whatever goes wrong leaves as a `ProviderError`.
 */
export async function callGoogle<T>(
  operation: Operation,
  session: Pick<CalendarSession, 'tokens'>,
  signal: AbortSignal,
  send: (options: CallOptions) => Promise<{ data: T }>,
  headers: Record<string, string> = {},
): Promise<T> {
  const token = await session.tokens.accessToken(signal);
  try {
    const answer = await send({ headers: { ...headers, Authorization: `Bearer ${token}` }, signal, retry: false });
    return answer.data;
  } catch (error) {
    throw toProviderError(operation, error, signal);
  }
}

/** `If-Match` when there is something to match. */
export function ifMatch(etag: string | null): Record<string, string> {
  return etag === null ? {} : { 'If-Match': etag };
}

export function toProviderError(operation: Operation, error: unknown, signal: AbortSignal): ProviderError {
  if (error instanceof ProviderError) return error;
  if (signal.aborted && signal.reason instanceof ProviderError) return signal.reason;
  return new ProviderError({
    calendarProvider: 'google',
    operation,
    ...classifyError(operation, readFailure(error, signal)),
  });
}

/** The client's error without its `config`, which holds the access token. */
function readFailure(error: unknown, signal: AbortSignal): GoogleFailure {
  const { response, code, cause } = (error ?? {}) as {
    response?: { status?: number; headers?: Headers; data?: unknown };
    code?: unknown;
    cause?: { code?: unknown };
  };
  if (response?.status === undefined) {
    const networkCode = signal.aborted ? 'aborted' : String(cause?.code ?? code ?? 'no_answer');
    return { status: null, reasons: [], retryAfter: null, requestId: null, networkCode };
  }
  return {
    status: response.status,
    reasons: readReasons(response.data),
    retryAfter: response.headers?.get('retry-after') ?? null,
    requestId: response.headers?.get('x-goog-request-id') ?? null,
    networkCode: null,
  };
}

/** Google's two shapes: `{error: {errors: [{reason}]}}` of the API and `{error: "word"}` of OAuth. */
export function readReasons(body: unknown): string[] {
  const data = typeof body === 'string' ? parseJson(body) : body;
  const error = (data as { error?: unknown } | null)?.error;
  if (typeof error === 'string') return [error];
  const errors = (error as { errors?: unknown } | undefined)?.errors;
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((one: { reason?: unknown }) => (typeof one?.reason === 'string' ? [one.reason] : []));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
