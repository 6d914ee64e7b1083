/** ESM mode, as production runs; see each option's reason in CONTRIBUTING.md. */
export default {
  testMatch: ['<rootDir>/{apps,packages}/**/*.test.ts'],
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
};
