/** What the page asks of the sandbox: the week, and the admin API for everything that is changed. */

async function call(method, path, body) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(path, init);
  const text = await response.text();
  const answer = text === '' ? null : JSON.parse(text);
  if (!response.ok) throw new Error(answer?.error?.message ?? `status ${response.status}`);
  return answer;
}

export function readWeek(from, to) {
  return call('GET', `/page/week?from=${from.toISOString()}&to=${to.toISOString()}`);
}

function eventsOf(calendar, eventId) {
  const base = `/sandbox/calendars/${calendar.calendar_provider}/${encodeURIComponent(calendar.email)}/events`;
  const path = eventId === undefined ? base : `${base}/${encodeURIComponent(eventId)}`;
  return `${path}?calendar_id=${encodeURIComponent(calendar.calendar_id)}`;
}

export const addEvent = (calendar, event) => call('POST', eventsOf(calendar), event);
export const changeEvent = (calendar, id, change) => call('PATCH', eventsOf(calendar, id), change);
export const deleteEvent = (calendar, id) => call('DELETE', eventsOf(calendar, id));

export function addAccount(provider, email) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return call('PUT', '/sandbox/users', { calendar_provider: provider, email, time_zone: zone });
}

/** Calls `changed` whenever something changes anywhere, and `state` with whether the line stands. */
export function listen(changed, state) {
  const source = new EventSource('/page/live');
  source.addEventListener('change', changed);
  source.addEventListener('open', () => {
    state(true);
    changed();
  });
  source.addEventListener('error', () => state(false));
}
