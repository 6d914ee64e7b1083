import type * as OpenTelemetry from '@opentelemetry/api';

/** OpenTelemetry's API takes a while to load; a process that nobody wants traces of never does. */
let api: typeof OpenTelemetry | null = null;

export async function loadApi(): Promise<typeof OpenTelemetry> {
  api ??= await import('@opentelemetry/api');
  return api;
}

/** Null while nobody wants traces. */
export function loadedApi(): typeof OpenTelemetry | null {
  return api;
}
