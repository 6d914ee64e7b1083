/** What two adapters would otherwise each find out for themselves: why no answer came, and how long to wait. Pure. */
import { isRecord } from './is-record.ts';

export interface ConnectionFailure {
  /** snake_case, ours: `timeout`, `connection_reset`. */
  readonly reason: string;
  /** False where the request certainly never left. */
  readonly wasSent: boolean;
}

/** Causes nested deeper than this are not Node's. */
const DEPTH_AT_MOST = 8;

/**
 * Names a call that got no answer, by the codes of Node and undici in the chain of causes.
 *
 * @param signal the call's own: an abort whose reason is named `TimeoutError` is a `timeout`, any other `aborted`.
 */
export function nameConnectionFailure(error: unknown, signal: AbortSignal): ConnectionFailure {
  if (signal.aborted) {
    return { reason: nameOf(signal.reason) === 'TimeoutError' ? 'timeout' : 'aborted', wasSent: true };
  }
  for (const code of codesOf(error)) {
    const named = BY_CODE[code] ?? (TLS_CODE.test(code) ? { reason: 'tls_failure', wasSent: false } : null);
    if (named !== null) return named;
  }
  return { reason: 'network_failure', wasSent: true };
}

const TLS_CODE = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
const BY_CODE: Readonly<Record<string, ConnectionFailure>> = {
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

/** Innermost first: the deepest cause knows best. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let layer: unknown = error;
  for (let depth = 0; depth < DEPTH_AT_MOST && isRecord(layer); depth += 1) {
    if (typeof layer.code === 'string') codes.unshift(layer.code);
    layer = layer.cause;
  }
  return codes;
}

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date.
 *
 * @returns milliseconds from `now`, never negative; null when the header is missing or says nothing.
 */
export function readRetryAfter(header: string | null, now: Date): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds * 1_000));
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

function nameOf(reason: unknown): unknown {
  return isRecord(reason) ? reason.name : undefined;
}
