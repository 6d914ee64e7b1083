import type { WorkSubject } from '@bookiji/flags';

type Subject = Omit<WorkSubject, 'connectionId'>;

/** Beyond so many connections the ones asked for longest ago are looked up again. */
const KEPT = 10_000;

/** Long enough for a burst of work, short enough that a row which was put right by hand counts soon. */
const KEPT_MS = 5_000;

/**
 * Whose a connection is and where it lies hardly ever changes under its id, so it is not looked up for each job of a
 * burst. One that is gone is not remembered; a claim finds nothing there in any case.
 */
export function rememberSubjects(
  find: (connectionId: string) => Promise<Subject | null>,
  now: () => number = () => performance.now(),
) {
  const known = new Map<string, { readonly subject: Subject; readonly until: number }>();
  return async (connectionId: string): Promise<Subject | null> => {
    const held = known.get(connectionId);
    if (held !== undefined && held.until > now()) return held.subject;
    known.delete(connectionId);
    const found = await find(connectionId);
    if (found === null) return null;
    if (known.size >= KEPT) known.delete(known.keys().next().value as string);
    const subject = { providerId: found.providerId, calendarProvider: found.calendarProvider };
    known.set(connectionId, { subject, until: now() + KEPT_MS });
    return subject;
  };
}
