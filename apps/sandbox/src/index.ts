export { createSandbox, type Sandbox } from './sandbox.ts';
export type { PartialSettings } from './settings.ts';
