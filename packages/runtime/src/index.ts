export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './embedded-postgres/embedded-postgres.ts';
export { makeReachableDir } from './embedded-postgres/server-user.ts';
export { findFreePort } from './find-free-port.ts';
export {
  answerHealth,
  HEALTH_PATHS,
  type HealthAnswer,
  type HealthAnswers,
  nameRequest,
  type ReadinessCheck,
  startHealthServer,
} from './health-server.ts';
export { describeFailure, type Part, type ProcessContext, type ProcessOptions, runProcess } from './run-process.ts';
export { type Environment, fields, loadSettings, pick, SettingsError } from './settings.ts';
export { type SupervisedProcess, type Supervisor, type SupervisorEvents, superviseProcesses } from './supervisor.ts';
export { networkOf, takeTurn } from './take-turn.ts';
