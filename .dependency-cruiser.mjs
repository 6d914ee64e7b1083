/** The direction of imports, drawn in ARCHITECTURE.md: every rule with its reason. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const TESTS = '\\.test\\.ts$|/test/';

export default {
  forbidden: [
    rule(
      'what-is-imported-is-there',
      'A rule cannot see where an import leads that leads nowhere.',
      {},
      { couldNotResolve: true },
    ),
    rule('no-cycles', 'A cycle is two files that are one.', {}, { circular: true }),
    rule(
      'contract-and-db-stand-alone',
      'What everybody builds on builds on nobody.',
      { path: '^packages/(db|providers/src/contract)/', pathNot: TESTS },
      { path: '^(apps|packages)/', pathNot: ['^packages/db/', '^packages/providers/src/contract/'] },
    ),
    rule(
      'adapters-know-the-contract-only',
      'An adapter that knows the database or its sibling cannot be replaced.',
      { path: '^packages/providers/src/(google|microsoft|policies)/', pathNot: TESTS },
      { path: '^(apps|packages)/', pathNot: ['^packages/providers/src/contract/', '^packages/providers/src/$1/'] },
    ),
    rule(
      'the-domain-is-pure',
      'sync decides; it never rings, serves or speaks to a provider itself.',
      { path: '^packages/sync/', pathNot: TESTS },
      {
        path: '^(apps|packages)/|node_modules/(express|bullmq|ioredis)/',
        pathNot: ['^packages/sync/', '^packages/db/', '^packages/providers/src/contract/'],
      },
    ),
    rule(
      'flags-know-db-at-most',
      'A flag is asked everywhere, so it may depend on little.',
      { path: '^packages/flags/', pathNot: TESTS },
      { path: '^(apps|packages)/', pathNot: ['^packages/(flags|db)/'] },
    ),
    rule(
      'queues-know-the-contract-at-most',
      'Doorbells carry ids.',
      { path: '^packages/queues/', pathNot: TESTS },
      { path: '^(apps|packages)/', pathNot: ['^packages/queues/', '^packages/providers/src/contract/'] },
    ),
    rule(
      'ground-floor',
      'observability and runtime may be imported by all, so they import nobody.',
      { path: '^packages/(observability|runtime)/', pathNot: TESTS },
      { path: '^(apps|packages)/', pathNot: ['^packages/$1/'] },
    ),
    rule(
      'only-the-list-knows-adapters',
      'Which adapter is in use is decided in one place.',
      { path: '^(apps|packages)/', pathNot: [TESTS, '^packages/providers/', '^apps/ingress/'] },
      { path: '^packages/providers/src/(google|microsoft)/' },
    ),
    rule(
      'no-reaching-past-the-index',
      'What an index does not name is nobody else’s business.',
      { path: '^(?:apps|packages)/([^/]+)/' },
      {
        path: '^(?:apps|packages)/[^/]+/src/',
        pathNot: [
          '^(?:apps|packages)/$1/',
          '/src/index\\.ts$',
          '^packages/providers/src/[^/]+/index\\.ts$',
          '^packages/db/src/migrate\\.ts$',
          // Apart, so that a start need not load the whole product before it can begin.
          '^packages/fleet/src/fleet-settings\\.ts$',
        ],
      },
    ),
    rule(
      'apps-stand-apart',
      'Two processes share a package, never each other.',
      { path: '^apps/([^/]+)/', pathNot: TESTS },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    rule(
      'tests-only',
      'Test helpers may not reach production; benchmarks never do either.',
      { path: '^(apps|packages)/[^/]+/src/', pathNot: [TESTS, '^packages/(testing|bench)/', '^apps/sandbox/'] },
      { path: '^(packages/testing|apps/sandbox)/' },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@bookiji/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
};
