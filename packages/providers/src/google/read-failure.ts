/** Turns what Google's client threw into the facts that the classifier asks for. Reads no message text. Pure. */
import { isRecord, nameConnectionFailure, type Operation } from '../contract/index.ts';
import type { GoogleFailure } from './classify-error.ts';

/** What a body without any content of the calendar says about a failure. */
export interface ErrorBody {
  readonly reasons: readonly string[];
  readonly location: string | null;
  readonly isGoogles: boolean;
}

/**
 * @param error as the client threw it. Its `config` holds the access token and the event's text, so nothing but the
 * facts leaves here.
 */
export function readFailure(operation: Operation, error: unknown, signal: AbortSignal): GoogleFailure {
  const response = field(error, 'response');
  const status = field(response, 'status');
  if (typeof status !== 'number') {
    return { ...nothing, operation, ...nameConnectionFailure(error, signal) };
  }
  const headers = field(response, 'headers') as Headers | undefined;
  return {
    ...nothing,
    operation,
    status,
    ...readErrorBody(field(response, 'data')),
    retryAfter: headers?.get('retry-after') ?? null,
    requestId: readRequestId(headers),
  };
}

/** An answer that says success and is not what was asked for: a proxy's page, a broken body. */
export function unreadableAnswer(operation: Operation, status: number): GoogleFailure {
  return { ...nothing, operation, status, reason: 'unreadable_answer' };
}

const nothing: Omit<GoogleFailure, 'operation'> = {
  status: null,
  reasons: [],
  location: null,
  isGoogles: false,
  retryAfter: null,
  requestId: null,
  reason: null,
  wasSent: true,
};

/** Reads `{error: {code, errors: [{reason, location}], details: [{reason}]}}`; anything else has no words. */
export function readErrorBody(body: unknown): ErrorBody {
  const error = field(body, 'error');
  const entries = [...list(field(error, 'errors')), ...list(field(error, 'details'))];
  const reasons = entries.map((entry) => field(entry, 'reason')).filter(isWord);
  const location = entries.map((entry) => field(entry, 'location')).find(isWord) ?? null;
  return { reasons, location, isGoogles: typeof field(error, 'code') === 'number' || reasons.length > 0 };
}

/** Google promises no request id; its front ends send one now and then. */
function readRequestId(headers: Headers | undefined): string | null {
  const id = headers?.get('x-goog-request-id') ?? headers?.get('x-request-id') ?? '';
  return /^[\w.:-]{1,100}$/.test(id) ? id : null;
}

/** A word, not a sentence: it becomes the `reason`, which is logged, stored and a label. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
