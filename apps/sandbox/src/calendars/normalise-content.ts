/** A calendar that does not keep what it is given letter by letter; see `normalise` in the settings. Pure. */
import type { EventContent } from './calendar-event.ts';

const MINUTE_MS = 60_000;
const LONGEST_TEXT = 60;

/** Only what is there is touched, so that it serves for whole events and for changes alike. */
export function normaliseContent<Content extends Partial<EventContent>>(content: Content): Content {
  const { title, description, location, timing, privateProperties } = content;
  return {
    ...content,
    ...(title == null ? {} : { title: tidy(title) }),
    ...(description == null ? {} : { description: tidy(description) }),
    ...(location == null ? {} : { location: tidy(location) }),
    ...(privateProperties === undefined
      ? {}
      : { privateProperties: Object.fromEntries(Object.entries(privateProperties).reverse()) }),
    // Outwards, so that no event becomes empty.
    ...(timing === undefined || timing.isAllDay
      ? {}
      : {
          timing: {
            ...timing,
            startMs: Math.floor(timing.startMs / MINUTE_MS) * MINUTE_MS,
            endMs: Math.ceil(timing.endMs / MINUTE_MS) * MINUTE_MS,
          },
        }),
  };
}

function tidy(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').slice(0, LONGEST_TEXT);
}
