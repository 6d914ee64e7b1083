/**
 * What a client prefers: the `Prefer` header, several preferences in one or in many.
 * See learn.microsoft.com/graph/api/event-delta.
 */
import type { Call } from '../endpoint.ts';
import { refuse } from './errors.ts';
import type { IdForm } from './item-ids.ts';
import { readZone } from './zones.ts';

export interface Preferences {
  readonly idForm: IdForm;
  /** Zone in which times are written: as IANA name, and as the client spelled it. */
  readonly zone: string;
  readonly zoneName: string;
  readonly pageSize: number | null;
  /** `outlook.body-content-type` */
  readonly wantsTextBody: boolean;
}

export function readPreferences(call: Call): Preferences {
  const header = call.header('prefer') ?? '';
  const zoneName = find(header, 'outlook.timezone') ?? 'UTC';
  const zone = readZone(zoneName);
  if (zone === null) {
    throw refuse(
      400,
      'TimeZoneNotSupportedException',
      'A valid TimeZone value must be specified. The given TimeZone value is not supported.',
    );
  }
  const size = Number(find(header, 'odata.maxpagesize') ?? Number.NaN);
  return {
    idForm: find(header, 'IdType')?.toLowerCase() === 'immutableid' ? 'immutable' : 'mutable',
    zone,
    zoneName,
    pageSize: Number.isInteger(size) && size >= 1 ? Math.min(size, 1000) : null,
    wantsTextBody: find(header, 'outlook.body-content-type')?.toLowerCase() === 'text',
  };
}

function find(header: string, name: string): string | null {
  const escaped = name.replace('.', '\\.');
  const match = new RegExp(`(?:^|[,;\\s])${escaped}\\s*=\\s*(?:"([^"]*)"|([^,;\\s]+))`, 'i').exec(header);
  return match?.[1] ?? match?.[2] ?? null;
}
