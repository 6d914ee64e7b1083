/**
 * What every request of a provider's API goes through: who asks, faults on order, limits, the work itself, and then the
 * answer or its loss. A handler only decides what to say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response, Router } from 'express';
import { type Answer, Refusal } from './answer.ts';
import type { Account } from './calendars/directory.ts';
import type { FaultOrder } from './faults.ts';
import type { Grant } from './oauth/grants.ts';
import type { Provider } from './provider.ts';
import type { SandboxState } from './state.ts';

export interface Caller {
  readonly account: Account;
  readonly grant: Grant;
  readonly scopes: ReadonlySet<string>;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The raw body, empty when there is none. */
  readonly text: string;
  readonly header: (name: string) => string | undefined;
  /** Scheme and host as the client addressed them. */
  readonly origin: string;
}

/** How one provider refuses and limits. */
export interface Protocol {
  readonly provider: Provider;
  /** Absent where nobody has to be known, as at the token endpoint. */
  readonly authenticate?: (call: Call) => Caller;
  /** Refuses when a limit is reached; what it returns is called when the request is over. */
  readonly admit?: (caller: Caller) => () => void;
  readonly faultAnswer: (order: FaultOrder & { status: number }) => Answer;
  readonly latencyMs: () => number;
}

export interface Endpoint {
  readonly operation: string;
  readonly method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  readonly path: string;
  /** Which page of a listing is asked for, counted from 1. */
  readonly page?: (call: Call) => number;
  readonly handle: (call: Call, caller: Caller) => Answer | Promise<Answer>;
}

/** One request and its answer. */
interface Exchange {
  readonly state: SandboxState;
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly response: Response;
  /** What the log is told of it, as far as it is known. */
  readonly progress: { user: string | null; clientId: string | null; page: number; fault: string | null };
}

export function mount(router: Router, state: SandboxState, protocol: Protocol, endpoints: readonly Endpoint[]): void {
  for (const endpoint of endpoints) {
    router[endpoint.method](endpoint.path, async (request, response) => {
      const startedAt = performance.now();
      const progress = { user: null, clientId: null, page: 1, fault: null };
      const exchange: Exchange = { state, protocol, endpoint, call: readCall(request), response, progress };
      const answer = await serve(exchange);
      const isSent = answer !== null && !response.destroyed;
      if (isSent) send(response, answer);
      note(exchange, isSent ? answer.status : 0, performance.now() - startedAt);
    });
  }
}

/** @returns null when the client gets no answer. */
async function serve(exchange: Exchange): Promise<Answer | null> {
  const { state, protocol, endpoint, call, response, progress } = exchange;
  const known = attempt(() => protocol.authenticate?.(call));
  const caller = 'answer' in known ? null : (known.value ?? null);
  progress.user = caller?.account.email ?? null;
  progress.clientId = caller?.grant.clientId ?? null;
  progress.page = endpoint.page?.(call) ?? 1;
  const { provider } = protocol;
  const target = { provider, operation: endpoint.operation, user: progress.user, page: progress.page };
  const strikes = state.faults.strike(target);
  if (strikes.length > 0) progress.fault = describeStrikes(strikes);

  const mailbox = progress.user === null ? null : `${provider}:${progress.user}`;
  if (mailbox !== null) state.requests.begin(mailbox);
  let release = () => {};
  try {
    if ('answer' in known) return withoutHandler(exchange, strikes, known.answer);
    if (caller !== null) release = protocol.admit?.(caller) ?? release;
    const early = await beforeWork(exchange, strikes);
    if (early !== 'go on') return early;
    const answer = await endpoint.handle(call, caller as Caller);
    return await afterWork(answer, strikes, response);
  } catch (error) {
    if (error instanceof Refusal) return afterWork(error.answer, strikes, response);
    throw error;
  } finally {
    release();
    if (mailbox !== null) state.requests.end(mailbox);
  }
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly answer: Answer } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof Refusal) return { answer: error.answer };
    throw error;
  }
}

/** An outage does not ask for papers: a fault strikes even those who would be refused anyway. */
async function withoutHandler(exchange: Exchange, strikes: readonly FaultOrder[], refusal: Answer) {
  const early = await beforeWork(exchange, strikes);
  return early === 'go on' ? refusal : early;
}

async function beforeWork(
  { protocol, response }: Exchange,
  strikes: readonly FaultOrder[],
): Promise<Answer | null | 'go on'> {
  const latency = strikes.reduce((sum, { latency_ms }) => sum + (latency_ms ?? 0), protocol.latencyMs());
  if (latency > 0) await sleep(latency, undefined, { ref: false });
  if (strikes.some(({ hang }) => hang === true)) {
    await new Promise((resolve) => response.once('close', resolve));
    return null;
  }
  if (strikes.some(({ reset }) => reset === true)) {
    response.destroy();
    return null;
  }
  const refusing = strikes.find(({ status }) => status !== undefined);
  if (refusing?.status === undefined) return 'go on';
  return decorate({ ...refusing, status: refusing.status }, protocol);
}

function decorate(order: FaultOrder & { status: number }, protocol: Protocol): Answer {
  const { retry_after: retryAfter, body, content_type: contentType = 'text/html' } = order;
  const shaped: Answer =
    body === undefined
      ? protocol.faultAnswer(order)
      : { status: order.status, text: body, headers: { 'content-type': contentType } };
  if (retryAfter === undefined) return shaped;
  return { ...shaped, headers: { ...shaped.headers, 'retry-after': String(retryAfter) } };
}

async function afterWork(answer: Answer, strikes: readonly FaultOrder[], response: Response): Promise<Answer | null> {
  const latency = strikes.reduce((sum, { answer_latency_ms }) => sum + (answer_latency_ms ?? 0), 0);
  if (latency > 0) await sleep(latency, undefined, { ref: false });
  if (strikes.some(({ lost_answer }) => lost_answer === true)) {
    response.destroy();
    return null;
  }
  const share = strikes.find(({ keep_share }) => keep_share !== undefined)?.keep_share;
  return share === undefined ? answer : cutList(answer, share);
}

function cutList(answer: Answer, share: number): Answer {
  if (answer.status !== 200 || typeof answer.json !== 'object' || answer.json === null) return answer;
  const json = { ...(answer.json as Record<string, unknown>) };
  for (const name of ['items', 'value']) {
    const list = json[name];
    if (Array.isArray(list)) json[name] = list.slice(0, Math.floor(list.length * share));
  }
  return { ...answer, json };
}

function describeStrikes(strikes: readonly FaultOrder[]): string {
  const names = ['status', 'hang', 'reset', 'lost_answer', 'latency_ms', 'answer_latency_ms', 'keep_share'] as const;
  const told = strikes.flatMap((order) => names.filter((name) => order[name] !== undefined && order[name] !== false));
  return told.join('+');
}

export function readCall(request: Request): Call {
  const at = request.originalUrl.indexOf('?');
  return {
    method: request.method,
    path: at < 0 ? request.originalUrl : request.originalUrl.slice(0, at),
    params: request.params as Record<string, string>,
    query: new URLSearchParams(at < 0 ? '' : request.originalUrl.slice(at + 1)),
    text: typeof request.body === 'string' ? request.body : '',
    header: (name) => request.get(name),
    origin: `${request.protocol}://${request.get('host') ?? 'localhost'}`,
  };
}

export function send(response: Response, answer: Answer): void {
  response.status(answer.status);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.json !== undefined) {
    if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(answer.json));
  } else {
    response.end(answer.text ?? '');
  }
}

function note({ state, protocol, endpoint, call, progress }: Exchange, status: number, durationMs: number): void {
  state.requests.note({
    at: new Date(state.clock.now()).toISOString(),
    calendar_provider: protocol.provider,
    operation: endpoint.operation,
    status,
    user: progress.user,
    client_id: progress.clientId,
    duration_ms: Math.round(durationMs),
    page: progress.page,
    if_match: call.header('if-match') !== undefined,
    prefer: call.header('prefer') ?? null,
    fault: progress.fault,
  });
}
