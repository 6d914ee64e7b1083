/**
 * Our own middleware chain for Microsoft's client: authorise, then send. There is no retry handler, since it would sleep
 * inside a job, out of sight of limiter and breaker; no redirect handler, since a redirect would carry the token away;
 * and no authentication handler of the library's, since it drops the token on every `http://` address.
 */
import { type Context, GraphClientError, type Middleware } from '@microsoft/microsoft-graph-client';
import type { TokenSource } from '../contract/index.ts';

/** The address to ask, letter by letter. The client would take a link apart and put it together in another order. */
export class ExactAddress {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }
}

/**
 * Carries a failure through the client untouched: it rebuilds every other error from its name and message, and the cause
 * that names a broken connection would be lost.
 */
export class CarriedFailure extends GraphClientError {
  readonly failure: unknown;
  /** Who failed: the connection's token source, before anything was sent, or the network. */
  readonly from: 'tokens' | 'network';

  constructor(failure: unknown, from: 'tokens' | 'network') {
    super('carried');
    Object.setPrototypeOf(this, CarriedFailure.prototype);
    this.failure = failure;
    this.from = from;
  }
}

/** Puts the account's token on the request, and tells the token source when Graph refuses it. */
export class AuthorizingMiddleware implements Middleware {
  readonly #tokens: TokenSource;
  #next: Middleware | null = null;

  constructor(tokens: TokenSource) {
    this.#tokens = tokens;
  }

  setNext(next: Middleware): void {
    this.#next = next;
  }

  async execute(context: Context): Promise<void> {
    const options = context.options ?? {};
    const signal = options.signal ?? new AbortController().signal;
    const token = await carried('tokens', this.#tokens.accessToken(signal));
    context.options = { ...options, headers: { ...plainHeaders(options.headers), Authorization: `Bearer ${token}` } };
    await this.#next?.execute(context);
    if (context.response?.status === 401) this.#tokens.rejected(token);
  }
}

/** Sends the request. Redirects come back as they are: no answer of Graph's calendar is one. */
export class SendingMiddleware implements Middleware {
  readonly #fetch: typeof globalThis.fetch;

  constructor(fetch: typeof globalThis.fetch) {
    this.#fetch = fetch;
  }

  async execute(context: Context): Promise<void> {
    const exact = context.middlewareControl?.getMiddlewareOptions(ExactAddress) as ExactAddress | undefined;
    const address = exact?.url ?? context.request;
    context.response = await carried(
      'network',
      this.#fetch(address, { ...context.options, redirect: 'manual' } as RequestInit),
    );
  }
}

async function carried<T>(from: CarriedFailure['from'], promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new CarriedFailure(error, from);
  }
}

/** The client hands headers on as a plain object. */
function plainHeaders(headers: unknown): Record<string, string> {
  return (headers ?? {}) as Record<string, string>;
}
