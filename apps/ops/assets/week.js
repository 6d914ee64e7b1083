/** The week of one connection: FullCalendar's time grid over what the console's own route tells. */
/* global FullCalendar */
const TITLES = { busy: 'busy', booking: 'booking', free: '', unknown: 'not in sync' };
const REFRESH_MS = 4000;

addEventListener('DOMContentLoaded', () => {
  const place = document.getElementById('week');
  if (place === null) return;
  const calendar = new FullCalendar.Calendar(place, {
    // From today on: what was is not in sync any more. Seven columns are too narrow to read on a phone.
    views: { comingWeek: { type: 'timeGrid', duration: { days: matchMedia('(max-width: 40rem)').matches ? 3 : 7 } } },
    initialView: 'comingWeek',
    timeZone: 'UTC',
    locale: 'en-GB',
    allDaySlot: false,
    nowIndicator: true,
    now: place.dataset.now,
    height: 'auto',
    expandRows: false,
    slotDuration: '01:00',
    slotHeaderFormat: { hour: '2-digit', minute: '2-digit', hour12: false },
    eventTimeFormat: { hour: '2-digit', minute: '2-digit', hour12: false },
    titleFormat: { day: 'numeric', month: 'short', year: 'numeric' },
    dayHeaderFormat: { weekday: 'short', day: 'numeric', month: 'short' },
    eventDidMount: ({ el, event, timeText }) => {
      el.title = `${timeText} ${event.title}`;
    },
    headerToolbar: { start: 'title', end: 'prev,today,next' },
    events: (span, resolve, reject) => void readPieces(place.dataset.source, span).then(resolve, reject),
  });
  calendar.render();
  setInterval(() => document.hidden || calendar.refetchEvents(), REFRESH_MS);
});

async function readPieces(source, span) {
  const query = new URLSearchParams({ from: span.startStr, to: span.endStr });
  const answer = await fetch(`${source}?${query}`);
  if (!answer.ok) throw new Error('the week could not be read');
  const { pieces } = await answer.json();
  return pieces.map((piece) => ({
    start: piece.startAt,
    end: piece.endAt,
    title: piece.kind === 'booking' ? `booking ${piece.bookingId.slice(0, 8)}` : TITLES[piece.kind],
    display: piece.kind === 'free' || piece.kind === 'unknown' ? 'background' : 'auto',
    className: `piece-${piece.kind}`,
  }));
}
