export {
  type BookingDesk,
  type BookingEventType,
  type BookingWish,
  makeBookingEvent,
  openBookingDesk,
} from './booking-desk.ts';
export { checkPorts } from './check-ports.ts';
export { environmentOf, localDoors } from './database-roles.ts';
export { expectJson, type HttpAnswer, requestJson } from './http.ts';
export {
  type ConnectionStatus,
  createIngressClient,
  type IngressClient,
  type Slot,
} from './ingress-client.ts';
export { localEnvironment } from './local-settings.ts';
export { prepareDatabase } from './prepare-database.ts';
export { nameCheckout, readCheckout } from './read-checkout.ts';
export { ROOT, STATE_DIR } from './root.ts';
export {
  type CalendarProvider,
  createSandboxClient,
  type SandboxCalendar,
  type SandboxClient,
  type SandboxEvent,
} from './sandbox-client.ts';
export {
  checkSettings,
  commandOf,
  FLEET_ROLES,
  nodeOptionsOf,
  publicBaseUrlOf,
  type Role,
  startFleet,
} from './start-fleet.ts';
export {
  FLEET_PORT_VARIABLES,
  LOCAL_PORT_VARIABLES,
  LOCAL_ROLES,
  type LocalFleet,
  startLocalFleet,
} from './start-local-fleet.ts';
export { waitUntil } from './wait-until.ts';
