import type { Attributes } from '@opentelemetry/api';
import { loadedApi } from './loaded-api.ts';

/** Writes something that happened onto the span at hand; nothing where there is none. Never content or secrets. */
export function noteOnSpan(name: string, attributes: Attributes): void {
  loadedApi()?.trace.getActiveSpan()?.addEvent(name, attributes);
}
