/** What a handler says; the endpoint writes it, or loses it on order. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON when set. */
  readonly json?: unknown;
  /** Sent as it is when set; give a content type with it. */
  readonly text?: string;
}

/** Thrown by handlers: the provider says no, in its own words. Nothing was committed. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.name = 'Refusal';
    this.answer = answer;
  }
}

export function ok(json: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return headers === undefined ? { status: 200, json } : { status: 200, json, headers };
}

export function redirectTo(address: string): Answer {
  return { status: 302, headers: { location: address } };
}

export function html(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, text };
}
