export { type BuiltConnection, insertChannel, insertConnection } from './builders.ts';
export { asRole, type DatabaseRole, prepareTestDatabase } from './database-roles.ts';
export { createFakeCalendar, type FakeCalendar, type FakeEvent, type FakeFault } from './fake-calendar.ts';
export { hasPgBouncer, type PgBouncer, type PgBouncerOptions, startPgBouncer } from './pgbouncer.ts';
export { startRedisCluster } from './redis-cluster.ts';
export { type RedisGroup, type RedisSentinel, startRedisSentinel } from './redis-sentinel.ts';
export { type RedisServer, startRedis } from './redis-server.ts';
export { type Relay, startRelay } from './relay.ts';
export { createTestDatabase, moveClock, type TestDatabase } from './test-database.ts';
