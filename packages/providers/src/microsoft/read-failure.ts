/** Turns what came back, or did not, into the facts that the classifier asks for. Reads no message text. */
import { isRecord } from '../contract/index.ts';

/** What a body without any content of the mailbox says about a failure. */
export interface ErrorBody {
  /** Outermost first. */
  readonly codes: readonly string[];
  readonly requestId: string | null;
}

/** Nested deeper than this, a body is not Graph's. */
const DEPTH_AT_MOST = 8;

/** Reads `{error: {code, innerError: {code, …, "request-id"}}}`; anything else has no codes. Pure. */
export function readErrorBody(body: unknown): ErrorBody {
  const codes: string[] = [];
  let requestId: string | null = null;
  let layer = field(body, 'error');
  for (let depth = 0; depth < DEPTH_AT_MOST && isRecord(layer); depth += 1) {
    const code = layer.code;
    if (typeof code === 'string' && /^[\w.-]{1,80}$/.test(code)) codes.push(code);
    const id = layer['request-id'];
    if (typeof id === 'string' && isPlainId(id)) requestId = id;
    layer = layer.innerError ?? layer.innererror;
  }
  return { codes, requestId };
}

/** The request id of the headers, else of the body. Pure. */
export function readRequestId(headers: Headers, body: ErrorBody | null): string | null {
  const sent = headers.get('request-id') ?? headers.get('x-ms-request-id') ?? headers.get('client-request-id');
  if (sent !== null && isPlainId(sent)) return sent;
  return body?.requestId ?? null;
}

function isPlainId(id: string): boolean {
  return /^[\w.:-]{1,100}$/.test(id);
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
