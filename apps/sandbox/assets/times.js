/** Days, weeks and places on the grid. Everything is shown in the browser's own zone. */

export const MINUTE_MS = 60_000;
export const STEP_MS = 15 * MINUTE_MS;

/** Midnight of the Monday on or before `date`. */
export function mondayOf(date) {
  const monday = new Date(date.getFullYear(), date.getMonth(), date.getDate());
  monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7));
  return monday;
}

export function addDays(date, count) {
  const next = new Date(date);
  next.setDate(next.getDate() + count);
  return next;
}

/** `2026-11-24`, by the clock on the wall. */
export function dateText(date) {
  const two = (number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-11-24T09:00`, as a form's field has it. */
export function localText(date) {
  return `${dateText(date)}T${date.toTimeString().slice(0, 5)}`;
}

export function timeText(date) {
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** The part of an event that lies on the day that begins at `day`; null when none does. In minutes from midnight. */
export function partOn(day, startAt, endAt) {
  const next = addDays(day, 1);
  if (startAt >= next || endAt <= day) return null;
  const minutes = (date) => (date <= day ? 0 : date >= next ? 1440 : date.getHours() * 60 + date.getMinutes());
  const from = minutes(startAt);
  return { from, to: Math.max(minutes(endAt), from + 20), isFirst: startAt >= day, isLast: endAt <= next };
}

/** Puts parts that overlap beside each other. @returns for each its column and how many there are. */
export function sideBySide(parts) {
  const sorted = [...parts].sort((left, right) => left.from - right.from || right.to - left.to);
  const places = new Map();
  let cluster = [];
  let ends = [];
  const close = () => {
    for (const part of cluster) places.get(part).of = ends.length;
    cluster = [];
    ends = [];
  };
  for (const part of sorted) {
    if (cluster.length > 0 && ends.every((end) => end <= part.from)) close();
    const free = ends.findIndex((end) => end <= part.from);
    const column = free < 0 ? ends.length : free;
    ends[column] = part.to;
    places.set(part, { column, of: 1 });
    cluster.push(part);
  }
  close();
  return places;
}
