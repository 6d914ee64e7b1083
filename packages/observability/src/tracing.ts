/**
 * Traces over OTLP/HTTP, for those who name an endpoint. One trace leads from a notification to the committed interval:
 * ingress's request, the ring through the queue, the worker's job, its calls to the calendar provider.
 */
import type { Span } from '@opentelemetry/api';
import { loadApi } from './loaded-api.ts';

export interface TracingOptions {
  readonly role: string;
  readonly instanceId: string;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector's base address; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
}

/** Spans are sent this often, milliseconds. */
const SEND_EVERY_MS = 1_000;
/** A collector that does not answer must not hold up the end of a process. */
const SEND_WITHIN_MS = 2_000;

/**
 * Loaded only when asked for: nobody else pays for it at the start of a process.
 *
 * @returns sends what is left and stops.
 */
export async function startTracing({ role, instanceId, endpoint }: TracingOptions): Promise<() => Promise<void>> {
  const [
    api,
    { AsyncLocalStorageContextManager },
    { W3CTraceContextPropagator },
    { OTLPTraceExporter },
    resources,
    sdk,
    undici,
  ] = await Promise.all([
    loadApi(),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/instrumentation-undici'),
  ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: SEND_WITHIN_MS });
  // Polling for work is not a story; what it finds is one, and has a beginning of another kind.
  const beginnings = {
    shouldSample: (_context: unknown, _traceId: string, _name: string, kind: number) => ({
      decision:
        kind === api.SpanKind.INTERNAL ? sdk.SamplingDecision.NOT_RECORD : sdk.SamplingDecision.RECORD_AND_SAMPLED,
    }),
    toString: () => 'no polling',
  };
  const provider = new sdk.TracerProvider({
    sampler: new sdk.ParentBasedSampler({ root: beginnings }),
    resource: resources.resourceFromAttributes({
      'service.namespace': 'calsync',
      'service.name': role,
      'service.instance.id': instanceId,
    }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_WITHIN_MS,
      }),
    ],
  });
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  const calls = new undici.UndiciInstrumentation({
    requireParentforSpans: true,
    // Query and path may hold cursors and addresses: only what is harmless takes their place.
    startSpanHook: ({ origin, path }) => {
      const shown = scrubPath(path);
      return { 'url.full': `${origin}${shown}`, 'url.path': shown, 'url.query': '' };
    },
    requestHook: (span: Span, { method, path }) => void span.updateName(`${method} ${scrubPath(path)}`),
  });
  calls.setTracerProvider(provider);
  return async () => {
    calls.disable();
    await provider.shutdown().catch(() => undefined);
  };
}

/** Words of the providers' own API stay; ids, addresses and the query go. */
export function scrubPath(path: string): string {
  const [bare = ''] = path.split('?');
  return bare
    .split('/')
    .map((part) => (part === '' || /^(v[\d.]+|[A-Za-z$]{1,24})$/.test(part) ? part : '{id}'))
    .join('/');
}
