/** ESM mode, as production runs; the reasons of the odd settings stand in CONTRIBUTING.md. */
export default {
  testMatch: ['<rootDir>/{apps,packages,infra}/**/*.test.ts'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  // Exactly these three: with `import` or `require` added, CommonJS packages load ES modules and every route answers 500.
  testEnvironmentOptions: { customExportConditions: ['@bookiji/source', 'node', 'node-addons'] },
  transform: {
    '^.+\\.[mc]?ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/packages/testing/jest/global-setup.mjs',
  globalTeardown: '<rootDir>/packages/testing/jest/global-teardown.mjs',
  reporters: ['default', '<rootDir>/packages/testing/jest/reporter.mjs'],
  // Half of the time a test of the whole waits for something; two cores carry three of them.
  maxWorkers: 3,
  // Many times what any of them takes: what waits for a real process may wait long on a machine that does other things.
  testTimeout: 120_000,
};
