export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
export type { PartialSettings, SandboxSettings } from './settings.ts';
