export { ALL_DRILLS } from './all-drills.ts';
export type { Drill } from './drill.ts';
export { readEvidence } from './evidence/evidence-folder.ts';
export { readSourceState } from './evidence/source-state.ts';
export { CHECKLIST } from './go-no-go/checklist.ts';
export { type Judgement, judgeEvidence } from './go-no-go/judge-evidence.ts';
export { playDrills } from './play-drills.ts';
export { startLocalTarget } from './target/local-target.ts';
export { openRemoteTarget } from './target/remote-target.ts';
