/** Moving an event with the pointer, in steps of a quarter of an hour, or dragging its end. */
import { MINUTE_MS } from './times.js';

const STEP_MINUTES = 15;
const STILL_PX = 4;

/**
 * @param box the event's element on the grid.
 * @param days the elements of the days, in order.
 * @param done called with how far it was moved in days and minutes, and by how many minutes it got longer.
 * @param clicked called when it was not moved at all.
 */
export function makeMovable(box, { days, done, clicked, canResize }) {
  box.addEventListener('pointerdown', (down) => {
    if (down.button !== 0) return;
    down.preventDefault();
    box.focus();
    box.setPointerCapture(down.pointerId);
    const isResize = canResize && down.target.classList.contains('grip');
    const drag = { isMoved: false, days: 0, minutes: 0 };
    const move = (at) => follow(box, days, down, at, drag, isResize);
    const up = () => {
      box.removeEventListener('pointermove', move);
      box.classList.remove('is-moving');
      if (!drag.isMoved) clicked();
      else if (drag.days !== 0 || drag.minutes !== 0) done(isResize ? { ...drag, days: 0 } : drag, isResize);
      else resetPlace(box);
    };
    box.addEventListener('pointermove', move);
    box.addEventListener('pointerup', up, { once: true });
    box.addEventListener('pointercancel', () => resetPlace(box), { once: true });
  });
  box.addEventListener('keydown', (key) => {
    if (key.key !== 'Enter' && key.key !== ' ') return;
    key.preventDefault();
    clicked();
  });
}

function follow(box, days, down, at, drag, isResize) {
  const [x, y] = [at.clientX - down.clientX, at.clientY - down.clientY];
  if (!drag.isMoved && Math.hypot(x, y) < STILL_PX) return;
  drag.isMoved = true;
  box.classList.add('is-moving');
  const { width, height } = days[0].getBoundingClientRect();
  const hour = height / 24;
  drag.minutes = Math.round((y / hour) * (60 / STEP_MINUTES)) * STEP_MINUTES;
  drag.days = isResize ? 0 : dayShift(days, down.clientX, at.clientX);
  if (isResize)
    box.style.setProperty('height', `${Math.max(box.dataset.height * 1 + (drag.minutes / 60) * hour, 12)}px`);
  else box.style.setProperty('transform', `translate(${drag.days * width}px, ${(drag.minutes / 60) * hour}px)`);
}

function dayShift(days, from, to) {
  const column = (x) => {
    const at = days.findIndex((day) => x < day.getBoundingClientRect().right);
    return at < 0 ? days.length - 1 : at;
  };
  return column(to) - column(from);
}

function resetPlace(box) {
  box.style.removeProperty('transform');
  box.style.setProperty('height', `${box.dataset.height}px`);
}

/** A moment later by whole days on the wall's clock, and minutes. */
export function shifted(date, { days, minutes }) {
  const next = new Date(date);
  next.setDate(next.getDate() + days);
  return new Date(next.getTime() + minutes * MINUTE_MS);
}
