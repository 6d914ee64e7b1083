/**
 * BullMQ's own instrumentation, made discreet: it carries the trace through the job, and says which queue, which job and
 * how it ended. Its options may hold a store's address with its password, and what a job threw may repeat its payload.
 */
import type { QueueTelemetry } from '@bookiji/queues';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { BullMQOtel } from 'bullmq-otel';

type Tracer = QueueTelemetry['tracer'];
type Span = ReturnType<Tracer['startSpan']>;
type Attributes = Parameters<Span['setAttributes']>[0];

const TOLD: readonly string[] = [
  'bullmq.queue.name',
  'bullmq.queue.operation',
  'bullmq.job.name',
  'bullmq.job.id',
  'bullmq.job.bulk.count',
  'bullmq.job.attempts.made',
  'bullmq.job.deduplication.key',
  'bullmq.job.result',
];

/** A worker takes its next job in the wake of the one before; a job's trace is the one it brings along, or a new one. */
export function createQueueTelemetry(): QueueTelemetry {
  const { contextManager, tracer } = new BullMQOtel({ tracerName: 'calsync' }) as unknown as QueueTelemetry;
  const startSpan: Tracer['startSpan'] = (name, options, context) => {
    const isOfJob = options?.kind !== SpanKind.PRODUCER;
    return hush(tracer.startSpan(name, options, context ?? (isOfJob ? ROOT_CONTEXT : undefined)));
  };
  return {
    contextManager: {
      getMetadata: (context) => contextManager.getMetadata(context),
      fromMetadata: (_active, metadata) => contextManager.fromMetadata(ROOT_CONTEXT, metadata),
      with: (context, work) => contextManager.with(context, work),
      active: () => contextManager.active(),
    },
    tracer: { startSpan },
  };
}

function hush(span: Span): Span {
  return {
    setSpanOnContext: (context) => span.setSpanOnContext(context),
    setAttribute: (name, value) => {
      if (TOLD.includes(name)) span.setAttribute(name, value);
    },
    setAttributes: (attributes) => span.setAttributes(keepTold(attributes)),
    addEvent: (name) => span.addEvent(name),
    recordException: () => span.addEvent('exception'),
    end: () => span.end(),
  };
}

function keepTold(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => TOLD.includes(name)));
}
