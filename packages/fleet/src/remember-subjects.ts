import type { WorkSubject } from '@bookiji/flags';

type Subject = Omit<WorkSubject, 'connectionId'>;

/** Beyond so many connections the ones asked for longest ago are looked up again. */
const KEPT = 10_000;

/**
 * Whose a connection is and where it lies never changes under its id, so it is looked up once. One that is gone is not
 * remembered; a claim finds nothing there in any case.
 */
export function rememberSubjects(find: (connectionId: string) => Promise<Subject | null>) {
  const known = new Map<string, Subject>();
  return async (connectionId: string): Promise<Subject | null> => {
    const held = known.get(connectionId);
    if (held !== undefined) return held;
    const found = await find(connectionId);
    if (found === null) return null;
    if (known.size >= KEPT) known.delete(known.keys().next().value as string);
    const { providerId, calendarProvider } = found;
    known.set(connectionId, { providerId, calendarProvider });
    return { providerId, calendarProvider };
  };
}
