export * from './audits.ts';
export * from './bookings.ts';
export * from './channels.ts';
export * from './connections.ts';
export * from './events.ts';
export * from './mailbox-slots.ts';
export * from './operations.ts';
export * from './outbox.ts';
