/** Draws the days and what lies in them. */
import { makeMovable, shifted } from './drag.js';
import { dateText, partOn, STEP_MS, sideBySide, timeText } from './times.js';

export const NAMES = { google: 'Google', microsoft: 'Microsoft' };

export const find = (id) => document.querySelector(`#${id}`);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function drawHeads(days, now) {
  const today = dateText(now);
  const heads = days.map((day) => {
    const head = make('div', dateText(day) === today ? 'is-today' : '');
    head.append(day.toLocaleDateString([], { weekday: 'short' }), make('strong', '', String(day.getDate())));
    return head;
  });
  find('heads').replaceChildren(make('div'), ...heads);
}

export function drawWholeDays(days, shown, act) {
  const cells = days.map((day) => {
    const cell = make('div');
    const date = dateText(day);
    for (const one of shown) {
      if (one.event.start > date || one.event.end <= date) continue;
      const box = drawBox(one);
      box.addEventListener('click', () => act.open(one));
      cell.append(box);
    }
    return cell;
  });
  find('whole-days').replaceChildren(make('div', 'name', 'all day'), ...cells);
}

export function drawGrid(days, shown, now, act) {
  const hours = make('div', 'hours');
  for (let hour = 1; hour < 24; hour += 1) {
    const label = make('span', '', `${String(hour).padStart(2, '0')}:00`);
    label.style.setProperty('top', `${(hour / 24) * 100}%`);
    hours.append(label);
  }
  const columns = days.map((day) => drawDay(day, now, act));
  find('grid').replaceChildren(hours, ...columns);
  days.forEach((day, at) => {
    const parts = shown.flatMap((one) => {
      const part = partOn(day, new Date(one.event.start_at), new Date(one.event.end_at));
      return part === null ? [] : [{ ...part, one }];
    });
    const places = sideBySide(parts);
    for (const part of parts) columns[at].append(drawPart(part, places.get(part), columns, act));
  });
}

function drawDay(day, now, act) {
  const isToday = dateText(day) === dateText(now);
  const column = make('div', isToday ? 'day is-today' : 'day');
  column.addEventListener('click', (click) => {
    if (click.target !== column) return;
    const { top, height } = column.getBoundingClientRect();
    const at = day.getTime() + ((click.clientY - top) / height) * 86_400_000;
    act.createAt(new Date(Math.floor(at / STEP_MS / 2) * STEP_MS * 2));
  });
  if (isToday) {
    const line = make('div', 'now');
    line.style.setProperty('top', `${((now - day) / 86_400_000) * 100}%`);
    column.append(line);
  }
  return column;
}

function drawPart(part, { column, of }, columns, act) {
  const { event } = part.one;
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
    clicked: () => act.open(part.one),
    done: (by, isResize) => {
      const start = isResize ? new Date(event.start_at) : shifted(event.start_at, by);
      const end = shifted(event.end_at, by);
      act.move(part.one, { start: start.toISOString(), end: new Date(Math.max(end, start)).toISOString() });
    },
  });
  return box;
}

function drawBox({ calendar, event, tint, isNew }) {
  const box = make('button', 'event');
  box.type = 'button';
  box.style.setProperty('--tint', tint);
  if (event.show_as === 'free' || event.show_as === 'workingElsewhere') box.classList.add('is-free');
  if (isNew) box.classList.add('is-new');
  const title = event.title || '(no title)';
  box.append(make('b', '', title));
  const times = `${timeText(new Date(event.start_at))} – ${timeText(new Date(event.end_at))}`;
  if (!event.all_day) box.append(times);
  box.title = `${title}\n${event.all_day ? 'all day' : times}\n${calendar.email} (${NAMES[calendar.calendar_provider]})`;
  box.dataset.eventId = event.id;
  return box;
}
