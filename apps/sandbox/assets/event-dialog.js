/** The form in which an event is made, changed and deleted. */
import { addEvent, changeEvent, deleteEvent } from './calls.js';
import { addDays, dateText, localText } from './times.js';

const dialog = document.querySelector('#event-dialog');
const form = document.querySelector('#event-form');
const fields = form.elements;
let open = null;

/** @param work runs a change and tells the person when it failed. */
export function setUpEventDialog(work) {
  fields.allDay.addEventListener('change', showTimes);
  document.querySelector('#delete').addEventListener('click', () => {
    const { calendar, event } = open;
    dialog.close();
    work(() => deleteEvent(calendar, event.id));
  });
  form.addEventListener('submit', (submit) => {
    if (submit.submitter?.value !== 'save') return;
    const { calendar, event, calendars } = open;
    const wish = readWish();
    if (event !== null) work(() => changeEvent(calendar, event.id, wish));
    else work(() => addEvent(calendars[Number(fields.calendar.value)], wish));
  });
}

export function openEvent(calendars, calendar, event) {
  open = { calendars, calendar, event };
  document.querySelector('#event-title').textContent = 'Event';
  fillCalendars(calendars, calendar);
  const isAllDay = event.all_day;
  const startAt = isAllDay ? new Date(`${event.start}T00:00`) : new Date(event.start_at);
  const endAt = isAllDay ? addDays(new Date(`${event.end}T00:00`), -1) : new Date(event.end_at);
  fill({ title: event.title ?? '', isAllDay, startAt, endAt, showAs: event.show_as });
  document.querySelector('#event-note').textContent = noteOf(event);
  dialog.showModal();
}

export function openNew(calendars, calendar, startAt) {
  if (calendars.length === 0) return;
  open = { calendars, calendar, event: null };
  document.querySelector('#event-title').textContent = 'New event';
  fillCalendars(calendars, calendar);
  const endAt = new Date(startAt.getTime() + 3_600_000);
  fill({ title: '', isAllDay: false, startAt, endAt, showAs: 'busy' });
  document.querySelector('#event-note').textContent = '';
  dialog.showModal();
  fields.title.focus();
}

function fillCalendars(calendars, chosen) {
  const options = calendars.map(({ calendar_provider, email, summary, primary }, at) => {
    const option = new Option(`${email}${primary ? '' : `, ${summary}`} (${calendar_provider})`, String(at));
    option.selected = calendars[at] === chosen;
    return option;
  });
  fields.calendar.replaceChildren(...options);
}

function fill({ title, isAllDay, startAt, endAt, showAs }) {
  fields.calendar.disabled = open.event !== null;
  fields.repeats.disabled = open.event !== null;
  fields.repeats.value = '';
  fields.title.value = title;
  fields.allDay.checked = isAllDay;
  fields.allDay.disabled = open.event !== null;
  fields.showAs.value = showAs;
  document.querySelector('#delete').hidden = open.event === null;
  showTimes();
  const write = isAllDay ? dateText : localText;
  fields.start.value = write(startAt);
  fields.end.value = write(endAt);
}

/** A date alone for whole days; what was chosen so far is kept. */
function showTimes() {
  const isAllDay = fields.allDay.checked;
  for (const field of [fields.start, fields.end]) {
    const { value } = field;
    field.type = isAllDay ? 'date' : 'datetime-local';
    if (value !== '') field.value = isAllDay ? value.slice(0, 10) : `${value.slice(0, 10)}T09:00`;
  }
}

function readWish() {
  const isAllDay = fields.allDay.checked;
  const day = (text, more) => dateText(addDays(new Date(`${text}T00:00`), more));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return {
    title: fields.title.value,
    show_as: fields.showAs.value,
    start: isAllDay ? fields.start.value : new Date(fields.start.value).toISOString(),
    // The form shows the last day, the calendar wants the first one after it.
    end: isAllDay ? day(fields.end.value, 1) : new Date(fields.end.value).toISOString(),
    ...(open.event === null && !isAllDay ? { time_zone: zone } : {}),
    ...(fields.repeats.value === '' ? {} : { recurrence: [fields.repeats.value] }),
  };
}

function noteOf(event) {
  const notes = [];
  if (event.series_id !== null) notes.push('One occurrence of a series; only it is changed.');
  if (Object.keys(event.properties).length > 0) notes.push('Written by an application.');
  if (event.response_status !== null) notes.push(`Invitation, answered ${event.response_status}.`);
  return notes.join(' ');
}
