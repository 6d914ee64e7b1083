export { AggregatorRegistry } from 'prom-client';
export { createLogger, describeError, flushLog, type Logger, type LoggerOptions } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { noteOnSpan } from './note-on-span.ts';
export { traceRequests } from './trace-requests.ts';
export { startTracing, type TracingOptions } from './tracing.ts';
