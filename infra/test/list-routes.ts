import type { Express } from 'express';

interface Listed {
  readonly path: string | RegExp;
  readonly methods?: readonly string[] | undefined;
  readonly router?: Router | undefined;
}

interface Router {
  listRoutes(): readonly Listed[];
}

/** Every route of an app as `METHOD path`, those of mounted routers included. */
export function listRoutes(app: Express): string[] {
  return [...new Set(walk(app.router as unknown as Router, ''))].sort();
}

function walk(router: Router, prefix: string): string[] {
  return router.listRoutes().flatMap(({ path, methods = [], router: mounted }) => {
    const whole = `${prefix}/${String(path)}`.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
    if (mounted !== undefined) return walk(mounted, whole);
    return methods.filter((method) => method !== 'HEAD').map((method) => `${method.toUpperCase()} ${whole}`);
  });
}
