import { z } from 'zod';
import { type Graph, isRefusal } from './graph-client.ts';

/** The mailbox's own zone, asked for once and only when something depends on it. */
export interface MailboxZone {
  /** As Outlook spells it, a Windows or an IANA name; null when it is refused or missing. */
  read(signal: AbortSignal): Promise<string | null>;
}

const settingsShape = z.object({ timeZone: z.string().min(1) });

export function openMailboxZone(graph: Graph): MailboxZone {
  let held: { readonly zone: string | null } | null = null;
  return {
    async read(signal) {
      held ??= { zone: await ask(graph, signal) };
      return held.zone;
    },
  };
}

async function ask(graph: Graph, signal: AbortSignal): Promise<string | null> {
  try {
    const to = { path: '/me/mailboxSettings' };
    const { body } = await graph.call({ operation: 'describe_calendar', to, signal });
    return settingsShape.safeParse(body).data?.timeZone ?? null;
  } catch (error) {
    // The scope is optional. A mailbox that will not say is read by its events' own zones.
    if (isRefusal(error)) return null;
    throw error;
  }
}
