export {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded-postgres/embedded-postgres.ts';
export { makeReachableDir } from './embedded-postgres/server-user.ts';
export { escapeHtml } from './escape-html.ts';
export { findFreePort } from './find-free-port.ts';
export {
  answerHealth,
  HEALTH_PATHS,
  nameRequest,
  type ReadinessCheck,
  startHealthServer,
} from './health-server.ts';
export { describeFailure, type Part, type ProcessContext, runProcess } from './run-process.ts';
export { seededRandom } from './seeded-random.ts';
export { type Environment, fields, loadSettings, pick, SettingsError } from './settings.ts';
export { type Supervisor, superviseProcesses } from './supervisor.ts';
export { networkOf, takeTurn } from './take-turn.ts';
export { withDeadline } from './with-deadline.ts';
