/**
 * Long keys are silently dropped, long values silently cut, too much of both refused.
 * See developers.google.com/workspace/calendar/api/guides/extended-properties.
 */
import { invalid, refuse } from './errors.ts';

const MOST_PROPERTIES = 300;
const MOST_BYTES = 32_768;

type Properties = Record<string, string>;

export function readExtendedProperties(value: unknown): {
  privateProperties: Properties;
  sharedProperties: Properties;
} {
  const given = (value ?? {}) as { private?: unknown; shared?: unknown };
  const privateProperties = readProperties(given.private);
  const sharedProperties = readProperties(given.shared);
  const all = [...Object.entries(privateProperties), ...Object.entries(sharedProperties)];
  const bytes = all.reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0);
  if (all.length > MOST_PROPERTIES || bytes > MOST_BYTES) {
    throw refuse(400, 'eventExtendedPropertiesLimitExceeded', 'Too many extended properties.', { domain: 'calendar' });
  }
  return { privateProperties, sharedProperties };
}

function readProperties(value: unknown): Properties {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object') throw invalid('Invalid extended properties.');
  const kept: Properties = {};
  for (const [key, text] of Object.entries(value)) {
    if (text === null) continue;
    if (typeof text !== 'string') throw invalid('Invalid extended property value.');
    if (key.length <= 44) kept[key] = text.slice(0, 1024);
  }
  return kept;
}
