/** The week of all calendars, drawn anew whenever something changes. */
import { addAccount, changeEvent, listen, readWeek } from './calls.js';
import { drawGrid, drawHeads, drawWholeDays, find, make, NAMES } from './draw-week.js';
import { openEvent, openNew, setUpEventDialog } from './event-dialog.js';
import { addDays, mondayOf } from './times.js';

const TINTS = ['#2f6fde', '#12876f', '#8a4fd3', '#c2621b', '#b83a6b', '#5c7f1f', '#1d87a8', '#8a6d1a'];
const POLL_MS = 10_000;

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
  drawHeads(days, now());
  const visible = calendars.flatMap((calendar, at) =>
    hidden.has(keyOf(calendar))
      ? []
      : calendar.events.map((event) => ({ calendar, event, tint: tintOf(at), isNew: isNew(calendar, event) })),
  );
  drawWholeDays(
    days,
    visible.filter(({ event }) => event.all_day),
    act,
  );
  drawGrid(
    days,
    visible.filter(({ event }) => !event.all_day),
    now(),
    act,
  );
  seen = new Map(
    calendars.flatMap((calendar) => calendar.events.map((event) => [markOf(calendar, event), versionOf(event)])),
  );
  const scroll = find('scroll');
  document.body.style.setProperty('--bar-width', `${scroll.offsetWidth - scroll.clientWidth}px`);
}

const tintOf = (at) => TINTS[at % TINTS.length];
const markOf = (calendar, event) => `${keyOf(calendar)} ${event.id}`;
const isNew = (calendar, event) => seen !== null && seen.get(markOf(calendar, event)) !== versionOf(event);
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

const firstShown = () => calendars.find((calendar) => !hidden.has(keyOf(calendar))) ?? calendars[0];

/** What a person can do with the events that are drawn. */
const act = {
  open: ({ calendar, event }) => openEvent(calendars, calendar, event),
  createAt: (startAt) => openNew(calendars, firstShown(), startAt),
  move: ({ calendar, event }, change) => work(() => changeEvent(calendar, event.id, change)),
};

function turnTo(next) {
  monday = mondayOf(next);
  seen = null;
  return refresh(true);
}

find('earlier').addEventListener('click', () => void turnTo(addDays(monday, -7)));
find('later').addEventListener('click', () => void turnTo(addDays(monday, 7)));
find('today').addEventListener('click', () => void turnTo(now()));
find('create').addEventListener('click', () => {
  const nextHour = new Date(Math.ceil(now() / 3_600_000) * 3_600_000);
  const isShown = nextHour >= monday && nextHour < addDays(monday, 7);
  openNew(calendars, firstShown(), isShown ? nextHour : new Date(monday.getTime() + 9 * 3_600_000));
});
find('account').addEventListener('click', () => find('account-dialog').showModal());
find('account-form').addEventListener('submit', (submit) => {
  if (submit.submitter?.value !== 'save') return;
  const { provider, email } = find('account-form').elements;
  void work(() => addAccount(provider.value, email.value));
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
setInterval(() => void refresh().catch(() => {}), POLL_MS);
