/** The queues. Names are part of the contract with the booking service and with dashboards. */
export const QUEUE_NAMES = {
  bookingEvents: 'calendar-booking-events',
  inboundSync: 'calendar-inbound-sync',
  outboundSync: 'calendar-outbound-sync',
  retry: 'calendar-retry',
  externalChanges: 'calendar-external-changes',
} as const;
