export { isAllowed, isFlagOn, type Switches } from './decide.ts';
export { createFlagBoard, type FlagBoard, type FlagBoardOptions } from './flag-board.ts';
export {
  FLAG_NAMES,
  type FlagCeiling,
  type FlagEnvironment,
  type FlagName,
  isFlagName,
  readFlagCeiling,
} from './flag-names.ts';
