/**
 * Graph's two forms of one item's id. Without `Prefer: IdType="ImmutableId"` an id changes when its item moves to
 * another folder. learn.microsoft.com/graph/outlook-immutable-id.
 */
import type { StoredEvent } from '../calendars/calendar-event.ts';

export type IdForm = 'immutable' | 'mutable';

export function showItemId(internalId: string, folderMoves: number, form: IdForm): string {
  if (form === 'immutable') return `AAkALgAA${Buffer.from(`i:${internalId}`).toString('base64url')}A=`;
  return `AAMkAGI2${Buffer.from(`m${folderMoves}:${internalId}`).toString('base64url')}A=`;
}

/** Either form is understood. A mutable id from before a move is no longer good; the caller compares the moves. */
export function readItemId(id: string): { internalId: string; folderMoves: number | null } | null {
  const match = /^(AAkALgAA|AAMkAGI2)([A-Za-z0-9_-]+)A=$/.exec(id);
  if (match?.[2] === undefined) return null;
  const text = Buffer.from(match[2], 'base64url').toString('utf8');
  const parts = /^(?:i|m(\d+)):([0-9a-v]+(?:_\d{8}(?:T\d{6}Z)?)?)$/.exec(text);
  if (parts?.[2] === undefined) return null;
  return { internalId: parts[2], folderMoves: parts[1] === undefined ? null : Number(parts[1]) };
}

export function eventItemId(event: StoredEvent, form: IdForm): string {
  return showItemId(event.id, event.folderMoves, form);
}
