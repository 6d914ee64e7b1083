export { bookingTitle, type HistoryEntry, readBookingTitle, readHistory } from './history.ts';
