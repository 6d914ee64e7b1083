export { isFlagOn } from './decide.ts';
export { dependsOnSubject, findObstacle, mayWork, type Obstacle, type WorkSubject } from './find-obstacle.ts';
export { createFlagBoard, type FlagBoard } from './flag-board.ts';
export {
  FLAG_NAMES,
  type FlagCeiling,
  type FlagEnvironment,
  type FlagName,
  isFlagName,
  readFlagCeiling,
} from './flag-names.ts';
export { parseSwitchName, SHADOW_SWITCH, switchName } from './switch-names.ts';
