import type { calendar_v3 } from '@googleapis/calendar';
import { type AroundRequest, type CalendarSession, type Operation, ProviderError } from '../contract/index.ts';
import { classifyError, type GoogleFailure } from './classify-error.ts';
import type { ResolvedApiOptions } from './options.ts';
import { ownError } from './own-error.ts';
import { readFailure, unreadableAnswer } from './read-failure.ts';

/** What each call tells Google's client. */
export interface CallOptions {
  readonly rootUrl: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  /** The client's own retries sleep inside a job, out of sight of limiter and breaker. */
  readonly retry: false;
  readonly fetchImplementation: typeof globalThis.fetch;
  /** A redirect would carry the token away; no answer of the calendar is one. */
  readonly redirect: 'manual';
  readonly validateStatus: (status: number) => boolean;
}

export interface CallRequest<T> {
  readonly operation: Operation;
  /** `If-Match` is sent when this is given and not null. */
  readonly etag?: string | null;
  /** Deleting and stopping answer with nothing; all else with an object. */
  readonly isBodyless?: boolean;
  readonly send: (options: CallOptions) => Promise<{ readonly data: T; readonly status: number }>;
}

/** One calendar of one connection, spoken to through Google's client. */
export interface GoogleCalendar {
  readonly calendarId: string;
  readonly events: calendar_v3.Resource$Events;
  readonly channels: calendar_v3.Resource$Channels;
  readonly now: () => Date;
  /** One request with the connection's token; whatever goes wrong leaves as a `ProviderError`. */
  call<T>(request: CallRequest<T>, signal: AbortSignal): Promise<T>;
}

export function openGoogleCalendar(
  client: calendar_v3.Calendar,
  session: Pick<CalendarSession, 'calendarId' | 'tokens' | 'aroundRequest'>,
  options: ResolvedApiOptions,
): GoogleCalendar {
  const around: AroundRequest = session.aroundRequest ?? ((_operation, signal, send) => send(signal));
  return {
    calendarId: session.calendarId,
    events: client.events,
    channels: client.channels,
    now: options.now,
    async call(request, signal) {
      const token = await session.tokens.accessToken(signal);
      try {
        return await around(request.operation, signal, (inner) => send(request, token, options, inner));
      } catch (error) {
        if (error instanceof ProviderError && error.status === 401) session.tokens.rejected(token);
        throw error;
      }
    },
  };
}

async function send<T>(
  request: CallRequest<T>,
  token: string,
  options: ResolvedApiOptions,
  signal: AbortSignal,
): Promise<T> {
  const { operation } = request;
  if (signal.aborted) throw toError({ ...readFailure(operation, null, signal), wasSent: false }, options);
  let answer: { readonly data: T; readonly status: number };
  try {
    answer = await request.send(callOptions(options, token, request.etag ?? null, signal));
  } catch (error) {
    if (!wasTried(error)) throw ownError({ kind: 'permanent', operation, reason: 'refused_by_client' });
    throw toError(readFailure(operation, error, signal), options);
  }
  if (request.isBodyless === true || isObject(answer.data)) return answer.data;
  throw toError(unreadableAnswer(operation, answer.status), options);
}

function callOptions(
  { rootUrl, fetch }: ResolvedApiOptions,
  token: string,
  etag: string | null,
  signal: AbortSignal,
): CallOptions {
  return {
    // With each call: as an option of the client it would lose the path of its own that it may have.
    rootUrl,
    headers: { Authorization: `Bearer ${token}`, ...(etag === null ? {} : { 'If-Match': etag }) },
    signal,
    retry: false,
    // Node's own: it keeps connections alive and stops the request when the signal aborts.
    fetchImplementation: fetch,
    redirect: 'manual',
    validateStatus: (status) => status >= 200 && status < 300,
  };
}

/** The client puts a `config` on every error of a request; without one it would not send anything, such as the id `..`. */
function wasTried(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'config' in error;
}

/** Without the client's error as a cause: it holds the event's text and the answer. Google's words are enumerations. */
function toError(failure: GoogleFailure, options: ResolvedApiOptions): ProviderError {
  return new ProviderError(classifyError(failure, options.now()), { cause: { words: failure.reasons } });
}

function isObject(data: unknown): boolean {
  return typeof data === 'object' && data !== null && !(data instanceof Blob);
}
