export { type BuiltConnection, insertChannel, insertConnection } from './builders.ts';
export { type RedisServer, startRedis } from './redis-server.ts';
export { createTestDatabase, moveClock, type TestDatabase } from './test-database.ts';
