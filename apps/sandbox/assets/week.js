/** The week of all calendars, drawn anew whenever something changes. */
import { addAccount, changeEvent, listen, readWeek } from './calls.js';
import { makeMovable, shifted } from './drag.js';
import { openEvent, openNew, setUpEventDialog } from './event-dialog.js';
import { addDays, dateText, mondayOf, partOn, STEP_MS, sideBySide, timeText } from './times.js';

const TINTS = ['#2f6fde', '#12876f', '#8a4fd3', '#c2621b', '#b83a6b', '#5c7f1f', '#1d87a8', '#8a6d1a'];
const POLL_MS = 10_000;
const NAMES = { google: 'Google', microsoft: 'Microsoft' };

const find = (id) => document.querySelector(`#${id}`);
const hidden = new Set();
/** Change numbers by event, to see what is new. */
let seen = null;
/** The page opens on the browser's week; the sandbox's clock is known only after the first answer. */
let monday = mondayOf(new Date());
let calendars = [];
let shown = '';
/** How far the sandbox's clock is from the browser's. */
let clockOffsetMs = 0;

const now = () => new Date(Date.now() + clockOffsetMs);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

async function work(change) {
  try {
    await change();
    await refresh();
  } catch (error) {
    tell(error.message);
    await refresh(true);
  }
}

function tell(text) {
  const word = find('word');
  word.textContent = text;
  word.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => {
    word.hidden = true;
  }, 5000);
}

async function refresh(isForced = false) {
  const asked = monday;
  const week = await readWeek(monday, addDays(monday, 7));
  if (asked !== monday || document.querySelector('.is-moving')) return;
  const state = JSON.stringify([monday, week.calendars, [...hidden]]);
  clockOffsetMs = Date.parse(week.now) - Date.now();
  if (state === shown && !isForced) return;
  shown = state;
  calendars = week.calendars;
  draw();
}

const keyOf = ({ calendar_provider, email, calendar_id }) => `${calendar_provider} ${email} ${calendar_id}`;

function draw() {
  find('empty').hidden = calendars.length > 0;
  find('create').disabled = calendars.length === 0;
  const sunday = addDays(monday, 6);
  const day = { day: 'numeric', month: 'long' };
  find('span').textContent =
    `${monday.toLocaleDateString([], day)} – ${sunday.toLocaleDateString([], { ...day, year: 'numeric' })}`;
  drawLegend();
  const days = Array.from({ length: 7 }, (_, at) => addDays(monday, at));
  drawHeads(days);
  const visible = calendars.flatMap((calendar, at) =>
    hidden.has(keyOf(calendar)) ? [] : calendar.events.map((event) => ({ calendar, event, tint: tintOf(at) })),
  );
  drawWholeDays(
    days,
    visible.filter(({ event }) => event.all_day),
  );
  drawGrid(
    days,
    visible.filter(({ event }) => !event.all_day),
  );
  seen = new Map(
    calendars.flatMap((calendar) => calendar.events.map((event) => [markOf(calendar, event), versionOf(event)])),
  );
  const scroll = find('scroll');
  document.body.style.setProperty('--bar-width', `${scroll.offsetWidth - scroll.clientWidth}px`);
}

const tintOf = (at) => TINTS[at % TINTS.length];
const markOf = (calendar, event) => `${keyOf(calendar)} ${event.id}`;
const versionOf = (event) => `${event.start_at} ${event.end_at} ${event.title} ${event.show_as}`;

function drawLegend() {
  const entries = calendars.map((calendar, at) => {
    const button = make('button');
    button.type = 'button';
    button.style.setProperty('--tint', tintOf(at));
    button.setAttribute('aria-pressed', String(!hidden.has(keyOf(calendar))));
    const name = calendar.primary ? calendar.email : `${calendar.email}, ${calendar.summary}`;
    button.append(make('span', 'dot'), name, make('small', '', NAMES[calendar.calendar_provider]));
    button.addEventListener('click', () => {
      if (!hidden.delete(keyOf(calendar))) hidden.add(keyOf(calendar));
      draw();
    });
    const entry = make('li');
    entry.append(button);
    return entry;
  });
  find('legend').replaceChildren(...entries);
}

function drawHeads(days) {
  const today = dateText(now());
  const heads = days.map((day) => {
    const head = make('div', dateText(day) === today ? 'is-today' : '');
    head.append(day.toLocaleDateString([], { weekday: 'short' }), make('strong', '', String(day.getDate())));
    return head;
  });
  find('heads').replaceChildren(make('div'), ...heads);
}

function drawWholeDays(days, shown) {
  const cells = days.map((day) => {
    const cell = make('div');
    const date = dateText(day);
    for (const one of shown) {
      if (one.event.start > date || one.event.end <= date) continue;
      const box = drawBox(one);
      box.addEventListener('click', () => openEvent(calendars, one.calendar, one.event));
      cell.append(box);
    }
    return cell;
  });
  find('whole-days').replaceChildren(make('div', 'name', 'all day'), ...cells);
}

function drawGrid(days, shown) {
  const hours = make('div', 'hours');
  for (let hour = 1; hour < 24; hour += 1) {
    const label = make('span', '', `${String(hour).padStart(2, '0')}:00`);
    label.style.setProperty('top', `${(hour / 24) * 100}%`);
    hours.append(label);
  }
  const columns = days.map((day) => drawDay(day));
  find('grid').replaceChildren(hours, ...columns);
  days.forEach((day, at) => {
    const parts = shown.flatMap((one) => {
      const part = partOn(day, new Date(one.event.start_at), new Date(one.event.end_at));
      return part === null ? [] : [{ ...part, one }];
    });
    const places = sideBySide(parts);
    for (const part of parts) columns[at].append(drawPart(part, places.get(part), columns));
  });
}

function drawDay(day) {
  const isToday = dateText(day) === dateText(now());
  const column = make('div', isToday ? 'day is-today' : 'day');
  column.addEventListener('click', (click) => {
    if (click.target !== column) return;
    const { top, height } = column.getBoundingClientRect();
    const at = day.getTime() + ((click.clientY - top) / height) * 86_400_000;
    openNew(calendars, firstShown(), new Date(Math.floor(at / STEP_MS / 2) * STEP_MS * 2));
  });
  if (isToday) {
    const line = make('div', 'now');
    line.style.setProperty('top', `${((now() - day) / 86_400_000) * 100}%`);
    column.append(line);
  }
  return column;
}

const firstShown = () => calendars.find((calendar) => !hidden.has(keyOf(calendar))) ?? calendars[0];

function drawPart(part, { column, of }, columns) {
  const { calendar, event } = part.one;
  const box = drawBox(part.one);
  const dayHeight = columns[0].getBoundingClientRect().height;
  const height = ((part.to - part.from) / 1440) * dayHeight - 2;
  box.style.setProperty('top', `${(part.from / 1440) * dayHeight}px`);
  box.style.setProperty('height', `${height}px`);
  box.style.setProperty('left', `calc(${(column / of) * 100}% + 2px)`);
  box.style.setProperty('width', `calc(${100 / of}% - 6px)`);
  box.dataset.height = String(height);
  if (part.isLast) box.append(make('span', 'grip'));
  makeMovable(box, {
    days: columns,
    canResize: part.isLast,
    clicked: () => openEvent(calendars, calendar, event),
    done: (by, isResize) => {
      const start = isResize ? new Date(event.start_at) : shifted(event.start_at, by);
      const end = shifted(event.end_at, by);
      const change = { start: start.toISOString(), end: new Date(Math.max(end, start)).toISOString() };
      work(() => changeEvent(calendar, event.id, change));
    },
  });
  return box;
}

function drawBox({ calendar, event, tint }) {
  const box = make('button', 'event');
  box.type = 'button';
  box.style.setProperty('--tint', tint);
  if (event.show_as === 'free' || event.show_as === 'workingElsewhere') box.classList.add('is-free');
  if (seen !== null && seen.get(markOf(calendar, event)) !== versionOf(event)) box.classList.add('is-new');
  const title = event.title || '(no title)';
  box.append(make('b', '', title));
  const times = `${timeText(new Date(event.start_at))} – ${timeText(new Date(event.end_at))}`;
  if (!event.all_day) box.append(times);
  box.title = `${title}\n${event.all_day ? 'all day' : times}\n${calendar.email} (${NAMES[calendar.calendar_provider]})`;
  box.dataset.eventId = event.id;
  return box;
}

function turnTo(next) {
  monday = mondayOf(next);
  seen = null;
  return refresh(true);
}

find('earlier').addEventListener('click', () => turnTo(addDays(monday, -7)));
find('later').addEventListener('click', () => turnTo(addDays(monday, 7)));
find('today').addEventListener('click', () => turnTo(now()));
find('create').addEventListener('click', () => {
  const nextHour = new Date(Math.ceil(now() / 3_600_000) * 3_600_000);
  const isShown = nextHour >= monday && nextHour < addDays(monday, 7);
  openNew(calendars, firstShown(), isShown ? nextHour : new Date(monday.getTime() + 9 * 3_600_000));
});
find('account').addEventListener('click', () => find('account-dialog').showModal());
find('account-form').addEventListener('submit', (submit) => {
  if (submit.submitter?.value !== 'save') return;
  const { provider, email } = find('account-form').elements;
  work(() => addAccount(provider.value, email.value));
});

setUpEventDialog(work);
await refresh(true).catch((error) => tell(error.message));
find('scroll').scrollTop = (7 / 24) * find('grid').offsetHeight;
listen(
  () => refresh().catch((error) => tell(error.message)),
  (isOn) => {
    find('live').dataset.state = isOn ? 'on' : 'off';
    find('live').textContent = isOn ? 'live' : 'offline, trying again';
  },
);
setInterval(() => refresh().catch(() => {}), POLL_MS);
