export { ALL_DRILLS } from './all-drills.ts';
export type { Drill } from './drill.ts';
