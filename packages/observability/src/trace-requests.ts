import type { IncomingMessage, ServerResponse } from 'node:http';
import { loadedApi } from './loaded-api.ts';
import { scrubPath } from './tracing.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Each request as the beginning of a trace of its own. What strangers send about theirs is not believed: it would let
 * them choose our trace ids. Without traces the listener is left as it is.
 */
export function traceRequests(listener: Listener): Listener {
  const api = loadedApi();
  if (api === null) return listener;
  const { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const tracer = trace.getTracer('calsync');
  return (request, response) => {
    const path = scrubPath(request.url ?? '/');
    const attributes = { 'http.request.method': request.method ?? '', 'url.path': path };
    const span = tracer.startSpan(`${request.method} ${path}`, { kind: SpanKind.SERVER, attributes, root: true });
    response.once('close', () => {
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => listener(request, response));
  };
}
