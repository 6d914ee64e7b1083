export { AggregatorRegistry } from 'prom-client';
export { createLogger, describeError, type Logger, type LoggerOptions } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
