/**
 * Our own middleware chain for Microsoft's client: authorise, then send. There is no retry handler, since it would sleep
 * inside a job, out of sight of limiter and breaker; no redirect handler, since a redirect would carry the token away;
 * and no authentication handler of the library's, since it drops the token on every `http://` address.
 */
import { type Context, GraphClientError, type Middleware } from '@microsoft/microsoft-graph-client';

/** The address to ask, letter by letter. The client would take a link apart and put it together in another order. */
export class ExactAddress {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }
}

/** The account's token for one request. */
export class Authorization {
  readonly token: string;

  constructor(token: string) {
    this.token = token;
  }
}

/**
 * Carries a failure through the client untouched: it rebuilds every other error from its name and message, and the cause
 * that names a broken connection would be lost.
 */
export class CarriedFailure extends GraphClientError {
  readonly failure: unknown;

  constructor(failure: unknown) {
    super('carried');
    Object.setPrototypeOf(this, CarriedFailure.prototype);
    this.failure = failure;
  }
}

/** Puts the account's token on the request. */
export class AuthorizingMiddleware implements Middleware {
  #next: Middleware | null = null;

  setNext(next: Middleware): void {
    this.#next = next;
  }

  async execute(context: Context): Promise<void> {
    const options = context.options ?? {};
    const given = context.middlewareControl?.getMiddlewareOptions(Authorization) as Authorization | undefined;
    const authorization = given === undefined ? {} : { Authorization: `Bearer ${given.token}` };
    context.options = { ...options, headers: { ...plainHeaders(options.headers), ...authorization } };
    await this.#next?.execute(context);
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
    try {
      context.response = await this.#fetch(address, { ...context.options, redirect: 'manual' } as RequestInit);
    } catch (error) {
      throw new CarriedFailure(error);
    }
  }
}

/** The client hands headers on as a plain object. */
function plainHeaders(headers: unknown): Record<string, string> {
  return (headers ?? {}) as Record<string, string>;
}
