export { isAllowed, isFlagOn, type Switches } from './decide.ts';
export { dependsOnSubject, findObstacle, mayWork, type Obstacle, type WorkSubject } from './find-obstacle.ts';
export { createFlagBoard, type FlagBoard, type FlagBoardOptions } from './flag-board.ts';
export {
  FLAG_NAMES,
  type FlagCeiling,
  type FlagEnvironment,
  type FlagName,
  isFlagName,
  readFlagCeiling,
} from './flag-names.ts';
export { SHADOW_SWITCH, type SwitchKind, switchName } from './switch-names.ts';
