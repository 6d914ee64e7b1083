/** One call to Graph on behalf of one connection: headers, token, answer, and every failure named. */
import { Client, ResponseType } from '@microsoft/microsoft-graph-client';
import {
  type AroundRequest,
  type CalendarSession,
  nameConnectionFailure,
  type Operation,
  ProviderError,
} from '../contract/index.ts';
import { classifyError } from './classify-error.ts';
import { ownLink } from './graph-link.ts';
import {
  Authorization,
  AuthorizingMiddleware,
  CarriedFailure,
  ExactAddress,
  SendingMiddleware,
} from './graph-middleware.ts';
import type { ResolvedOptions } from './options.ts';
import { ownError } from './own-error.ts';
import { readErrorBody, readRequestId } from './read-failure.ts';

export interface GraphCall {
  readonly operation: Operation;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1.0`, with its query, encoded; or a next or delta link that Graph handed out. */
  readonly to: { readonly path: string } | { readonly link: string };
  readonly body?: unknown;
  /** The etag the event must still have. */
  readonly ifMatch?: string | null;
  readonly pageSize?: number;
  readonly signal: AbortSignal;
}

export interface GraphAnswer {
  readonly status: number;
  /** Parsed JSON; null when the answer has no body. */
  readonly body: unknown;
}

export interface Graph {
  /** Throws `ProviderError`; what the token source throws passes as it is. */
  call(call: GraphCall): Promise<GraphAnswer>;
}

export function openGraph(
  options: ResolvedOptions,
  { tokens, aroundRequest }: Pick<CalendarSession, 'tokens' | 'aroundRequest'>,
): Graph {
  const client = Client.initWithMiddleware({
    baseUrl: options.graphBaseUrl,
    defaultVersion: 'v1.0',
    middleware: [new AuthorizingMiddleware(), new SendingMiddleware(options.fetch)],
  });
  const around: AroundRequest = aroundRequest ?? ((_operation, signal, ask) => ask(signal));
  return {
    async call(call) {
      const token = await tokens.accessToken(call.signal);
      try {
        return await around(call.operation, call.signal, (signal) => ask(client, options, { ...call, signal }, token));
      } catch (error) {
        if (error instanceof ProviderError && error.status === 401) tokens.rejected(token);
        throw error;
      }
    },
  };
}

async function ask(client: Client, options: ResolvedOptions, call: GraphCall, token: string): Promise<GraphAnswer> {
  const response = await send(client, options, call, token);
  const text = await readText(response, call, options);
  if (response.ok) return { status: response.status, body: parseAnswer(text, response, call) };
  throw refusal(response, parseJson(text), call, options.now());
}

async function send(client: Client, options: ResolvedOptions, call: GraphCall, token: string): Promise<Response> {
  const request = client
    .api('path' in call.to ? call.to.path : '/')
    .headers(headersOf(call))
    .option('signal', call.signal)
    // Raw, so that statuses, headers and bodies are read here: the client leaves the body of an HTML error page unread.
    .responseType(ResponseType.RAW);
  const address = 'link' in call.to ? [new ExactAddress(checkedLink(call.to.link, call, options))] : [];
  request.middlewareOptions([new Authorization(token), ...address]);
  try {
    switch (call.method ?? 'GET') {
      case 'GET':
        return await request.get();
      case 'POST':
        return await request.post(call.body);
      case 'PATCH':
        return await request.patch(call.body);
      case 'DELETE':
        return await request.delete();
    }
  } catch (error) {
    if (!(error instanceof CarriedFailure)) throw error;
    throw unanswered(error.failure, call, options.now());
  }
}

/**
 * Immutable ids on every call or on none: mixed, the feed, notifications and stored ids would disagree. Several
 * preferences may share one header.
 */
function headersOf(call: GraphCall): Record<string, string> {
  const preferences = ['IdType="ImmutableId"', 'outlook.timezone="UTC"'];
  if (call.pageSize !== undefined) preferences.push(`odata.maxpagesize=${call.pageSize}`);
  return {
    Accept: 'application/json',
    Prefer: preferences.join(', '),
    ...(call.ifMatch === undefined || call.ifMatch === null ? {} : { 'If-Match': call.ifMatch }),
  };
}

function checkedLink(link: string, call: GraphCall, options: ResolvedOptions): string {
  const own = ownLink(link, options.graphBaseUrl);
  if (own === null) throw foreignLink(call.operation);
  return own;
}

/** A link that leads elsewhere was tampered with, or the base was reconfigured under it. No token is sent there. */
export function foreignLink(operation: Operation, kind: 'permanent' | 'cursor_expired' = 'permanent'): ProviderError {
  return ownError({ kind, operation, reason: 'foreign_link' });
}

/** Graph answered with success but not with what the call promises. */
export function unreadableAnswer(call: Pick<GraphCall, 'operation'>, status: number, requestId: string | null = null) {
  const facts = { operation: call.operation, status, requestId, reason: 'unreadable_answer', wasSent: true };
  return new ProviderError(classifyError({ ...facts, codes: [], retryAfter: null, followedLink: false }, new Date(0)));
}

/** An answer about what was asked for. What concerns the account, the limits or the service is none. */
export function isRefusal(error: unknown): error is ProviderError {
  if (!(error instanceof ProviderError) || error.status === null) return false;
  const isAboutIt = (error.status >= 400 && error.status < 500) || error.status === 501;
  return isAboutIt && error.kind !== 'auth_revoked' && error.kind !== 'rate_limited';
}

async function readText(response: Response, call: GraphCall, options: ResolvedOptions): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw unanswered(error, call, options.now());
  }
}

function parseAnswer(text: string, response: Response, call: GraphCall): unknown {
  if (text === '') return null;
  const body = parseJson(text);
  if (body === undefined) throw unreadableAnswer(call, response.status, readRequestId(response.headers, null));
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(response: Response, body: unknown, call: GraphCall, now: Date): ProviderError {
  const error = readErrorBody(body);
  const facts = classifyError(
    {
      operation: call.operation,
      status: response.status,
      codes: error.codes,
      retryAfter: response.headers.get('retry-after'),
      requestId: readRequestId(response.headers, error),
      followedLink: 'link' in call.to,
      reason: null,
      wasSent: true,
    },
    now,
  );
  // The codes are enumerations of Microsoft's: what an unknown one is called is the first thing an operator asks.
  return new ProviderError(facts, { cause: { words: error.codes } });
}

function unanswered(error: unknown, call: GraphCall, now: Date): ProviderError {
  const { reason, wasSent } = nameConnectionFailure(error, call.signal);
  const nothing = { status: null, codes: [], retryAfter: null, requestId: null, followedLink: false };
  return new ProviderError(classifyError({ ...nothing, operation: call.operation, reason, wasSent }, now), {
    cause: error,
  });
}
