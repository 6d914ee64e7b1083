export { AggregatorRegistry } from 'prom-client';
export { createLogger, flushLog, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { noteOnSpan } from './note-on-span.ts';
export { traceRequests } from './trace-requests.ts';
export { startTracing } from './tracing.ts';
