/** Turns what came back, or did not, into the facts that the classifier asks for. Reads no message text. */

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

export interface ConnectionFailure {
  /** snake_case, ours. */
  readonly reason: string;
  /** False where the request certainly never left. */
  readonly wasSent: boolean;
}

/** Names a call that got no answer, by the codes of Node and undici in the chain of causes. Pure. */
export function nameConnectionFailure(error: unknown, signal: AbortSignal): ConnectionFailure {
  if (signal.aborted) {
    const isTimeout = field(signal.reason, 'name') === 'TimeoutError';
    return { reason: isTimeout ? 'timeout' : 'aborted', wasSent: true };
  }
  for (const code of codesOf(error)) {
    const named = NAMES[code] ?? (/^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code) ? TLS_FAILURE : null);
    if (named !== null) return named;
  }
  return { reason: 'network_failure', wasSent: true };
}

const TLS_FAILURE: ConnectionFailure = { reason: 'tls_failure', wasSent: false };
const NAMES: Readonly<Record<string, ConnectionFailure>> = {
  ECONNREFUSED: { reason: 'connection_refused', wasSent: false },
  ENOTFOUND: { reason: 'name_not_resolved', wasSent: false },
  EAI_AGAIN: { reason: 'name_not_resolved', wasSent: false },
  EHOSTUNREACH: { reason: 'host_unreachable', wasSent: false },
  ENETUNREACH: { reason: 'host_unreachable', wasSent: false },
  UND_ERR_CONNECT_TIMEOUT: { reason: 'timeout', wasSent: false },
  UND_ERR_HEADERS_TIMEOUT: { reason: 'timeout', wasSent: true },
  UND_ERR_BODY_TIMEOUT: { reason: 'timeout', wasSent: true },
  ETIMEDOUT: { reason: 'timeout', wasSent: true },
  ECONNRESET: { reason: 'connection_reset', wasSent: true },
  EPIPE: { reason: 'connection_reset', wasSent: true },
  UND_ERR_SOCKET: { reason: 'connection_reset', wasSent: true },
};

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let layer: unknown = error;
  for (let depth = 0; depth < DEPTH_AT_MOST && isRecord(layer); depth += 1) {
    if (typeof layer.code === 'string') codes.push(layer.code);
    layer = layer.cause;
  }
  return codes.reverse();
}

function isPlainId(id: string): boolean {
  return /^[\w.:-]{1,100}$/.test(id);
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
