/** What runs the fleet names every process, gives each the settings it reads, and no more rights than it needs. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, fields } from '@bookiji/runtime';
import { describe, expect, test } from '@jest/globals';
import { readConfig as readInboundWorker } from '../../apps/inbound-worker/src/config.ts';
import { readConfig as readIngress } from '../../apps/ingress/src/config.ts';
import { readConfig as readOps } from '../../apps/ops/src/config.ts';
import { readConfig as readOutboundWorker } from '../../apps/outbound-worker/src/config.ts';
import { readConfig as readRetryWorker } from '../../apps/retry-worker/src/config.ts';
import { type Container, type Deployment, type Manifest, ROLES, type Role, readManifests } from './manifests.ts';
import { listFiles, ROOT, readText, readYaml, readYamlDocuments } from './read-files.ts';

const READERS: Readonly<Record<Role, (environment: Environment) => Readonly<Record<string, unknown>>>> = {
  ingress: readIngress,
  'inbound-worker': readInboundWorker,
  'outbound-worker': readOutboundWorker,
  'retry-worker': readRetryWorker,
  ops: readOps,
};
const PORTS: Readonly<Record<Role, keyof typeof fields>> = {
  ingress: 'INGRESS_PORT',
  'inbound-worker': 'INBOUND_WORKER_PORT',
  'outbound-worker': 'OUTBOUND_WORKER_PORT',
  'retry-worker': 'RETRY_WORKER_PORT',
  ops: 'OPS_PORT',
};
/** What stands in for what a deployment keeps secret. */
const SAMPLES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://user@postgres:5432/bookiji',
  REDIS_URL: 'redis://redis:6379',
  TOKEN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
};
const sample = (name: string) => SAMPLES[name] ?? `sample-of-${name.toLowerCase()}`;

/** `runProcess` gives work in flight this long after SIGTERM. */
const DRAIN_SECONDS = 12;

const manifests = readManifests();
const ofKind = <T extends Manifest>(kind: string) => manifests.filter((one): one is T => one.kind === kind);
const named = <T extends Manifest>(kind: string, name: string): T => {
  const found = ofKind<T>(kind).find((one) => one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const podOf = (role: Role) => named<Deployment>('Deployment', role).spec.template.spec;
const containerOf = (role: Role): Container => {
  const [container] = podOf(role).containers;
  if (container === undefined) throw new Error(`${role} has no container`);
  return container;
};

const { configMapGenerator, resources } = readYaml<{
  configMapGenerator: { name: string; literals: string[] }[];
  resources: string[];
}>('infra/kubernetes/kustomization.yml');
const literals = new Map(
  configMapGenerator
    .flatMap((generator) => generator.literals)
    .map((literal): [string, string] => [literal.split('=', 1)[0] ?? '', literal.slice(literal.indexOf('=') + 1)]),
);

test('every YAML file of infra parses, with no key twice', () => {
  const files = [...listFiles('infra', '.yml'), ...listFiles('infra', '.yaml')];
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) expect(() => readYamlDocuments(file)).not.toThrow();
});

describe('Kubernetes', () => {
  test('the base holds every file but the migration, which is a step of its own', () => {
    const files = listFiles('infra/kubernetes', '.yml').map((path) => path.replace('infra/kubernetes/', ''));
    expect([...resources, 'kustomization.yml', 'migrate.yml'].sort()).toEqual(files);
  });

  test('the base is rendered by kustomize', () => {
    const { status, stdout, stderr, error } = spawnSync('kubectl', ['kustomize', join(ROOT, 'infra/kubernetes')], {
      encoding: 'utf8',
    });
    // kubectl is no tool of this repository; where it is there, it has the last word.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    for (const role of ROLES) expect(stdout).toContain(`- apps/${role}/src/main.ts`);
  });

  describe.each(ROLES)('%s', (role) => {
    test('runs its own entry, not as root, on a root it cannot write', () => {
      const { securityContext, automountServiceAccountToken } = podOf(role);
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(securityContext.runAsUser).toBeGreaterThan(0);
      expect(automountServiceAccountToken).toBe(false);
      const container = containerOf(role);
      expect(container.args).toEqual([`apps/${role}/src/main.ts`]);
      expect(existsSync(join(ROOT, container.args?.[0] ?? 'none'))).toBe(true);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toBeTruthy();
    });

    test('is probed where it answers', () => {
      const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(role);
      const port = fields[PORTS[role]].parse(undefined);
      expect(ports).toEqual([{ name: 'http', containerPort: port }]);
      expect(startupProbe?.httpGet).toEqual({ path: '/healthz', port: 'http' });
      expect(livenessProbe?.httpGet).toEqual({ path: '/healthz', port: 'http' });
      expect(readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'http' });
      expect(named<Manifest & { spec: unknown }>('Service', role).spec).toMatchObject({ ports: [{ port }] });
    });

    test('gets the variables it reads, all of them known, and starts with them', () => {
      const { env = [], envFrom } = containerOf(role);
      expect(envFrom).toEqual([{ configMapRef: { name: 'calsync' } }]);
      for (const { name, valueFrom } of env) {
        expect(valueFrom.secretKeyRef).toMatchObject({ name: 'calsync', key: name });
      }
      const names = env.map(({ name }) => name);
      expect([...names, ...literals.keys()].filter((name) => !(name in fields))).toEqual([]);
      const environment = Object.fromEntries([
        ...literals,
        ...names.map((name): [string, string] => [name, sample(name)]),
      ]);
      const settings = READERS[role](environment);
      // A secret that a process does not read is one it should not hold.
      expect(names.filter((name) => !(name in settings))).toEqual([]);
    });

    test('has longer to end than its drain and its longest call together', () => {
      const pod = podOf(role);
      const callSeconds = Number(literals.get('PROVIDER_TIMEOUT_MS')) / 1_000;
      const preStop = containerOf(role).lifecycle?.preStop.sleep.seconds ?? 0;
      expect(callSeconds).toBeGreaterThan(0);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStop + DRAIN_SECONDS + callSeconds);
    });

    test('may be disrupted one at a time', () => {
      const budget = named<Manifest & { spec: Record<string, unknown> }>('PodDisruptionBudget', role);
      expect(budget.spec).toMatchObject({ selector: { matchLabels: { 'app.kubernetes.io/name': role } } });
      expect(budget.spec.minAvailable ?? budget.spec.maxUnavailable).toBe(1);
    });
  });

  test('everything is off, and nothing secret stands in the base', () => {
    for (const [name, value] of literals)
      if (/^CALENDAR_.*_ENABLED$/.test(name)) expect([name, value]).toEqual([name, 'false']);
    expect(
      [...literals.keys()].filter((name) => /SECRET|TOKEN|KEY|_URL$/.test(name) && name !== 'PUBLIC_BASE_URL'),
    ).toEqual([]);
    expect(ofKind('Secret')).toEqual([]);
  });

  test('what is not allowed is denied, and processes that write to no calendar reach none', () => {
    interface Policy extends Manifest {
      spec: {
        podSelector: { matchExpressions?: { values: string[] }[] };
        policyTypes: string[];
        ingress?: unknown;
        egress?: { ports: { port: number }[] }[];
      };
    }
    const deny = named<Policy>('NetworkPolicy', 'calsync-deny').spec;
    expect(deny).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect([deny.ingress, deny.egress]).toEqual([undefined, undefined]);
    const outward = ofKind<Policy>('NetworkPolicy').filter(({ spec }) =>
      spec.egress?.some(({ ports }) => ports.some(({ port }) => port === 443)),
    );
    expect(outward.map(({ spec }) => spec.podSelector.matchExpressions?.[0]?.values)).toEqual([
      ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker'],
    ]);
  });

  test('the world reaches notifications and OAuth alone', () => {
    interface PublicRoutes extends Manifest {
      spec: { rules: { http: { paths: { path: string }[] } }[] };
    }
    const paths = ofKind<PublicRoutes>('Ingress').flatMap(({ spec }) =>
      spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path)),
    );
    expect(paths).toEqual(['/api/webhooks/calendar/', '/api/auth/']);
  });

  test('workers are scaled by pending intents and their age, never to none', () => {
    interface Scaler extends Manifest {
      spec: {
        scaleTargetRef: { name: Role };
        minReplicaCount: number;
        triggers: { type: string; metadata: { query: string; ignoreNullValues: string } }[];
      };
    }
    const scalers = ofKind<Scaler>('ScaledObject');
    expect(scalers.map(({ spec }) => spec.scaleTargetRef.name)).toEqual(['inbound-worker', 'outbound-worker']);
    for (const { spec } of scalers) {
      expect(spec.minReplicaCount).toBeGreaterThanOrEqual(1);
      // Otherwise the autoscaler and every deployment would set the number in turns.
      expect(named<Deployment>('Deployment', spec.scaleTargetRef.name).spec.replicas).toBeUndefined();
      expect(spec.triggers.map(({ metadata }) => /calendar_intent[a-z_]+/.exec(metadata.query)?.[0])).toEqual([
        'calendar_intents_pending',
        'calendar_intent_oldest_age_seconds',
      ]);
      // With the default a Prometheus that is gone looks like a fleet without work.
      for (const { metadata } of spec.triggers) expect(metadata.ignoreNullValues).toBe('false');
    }
  });
});

describe('compose', () => {
  interface Service {
    readonly image: string;
    readonly command?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly secrets?: readonly string[];
    readonly read_only?: boolean;
    readonly cap_drop?: readonly string[];
    readonly stop_grace_period?: string;
  }
  const compose = readYaml<{
    services: Record<string, Service>;
    secrets: Record<string, { environment: string }>;
    volumes: Record<string, unknown>;
  }>('infra/compose.yaml');
  const { services } = compose;
  /** Variables the file asks for, with their defaults; undefined where one must be given. */
  const asked = [...readText('infra/compose.yaml').matchAll(/\$\{(\w+)(:\?|:-)([^}]*)\}/g)];
  const interpolate = (text: string) =>
    text.replace(/\$\{(\w+)(:\?|:-)([^}]*)\}/g, (_all, name: string, kind: string, value: string) =>
      kind === ':-' ? value : sample(name),
    );

  test.each(ROLES)('%s runs its own entry with the variables it reads', (role) => {
    const service = services[role];
    expect(service).toMatchObject({
      command: [`apps/${role}/src/main.ts`],
      read_only: true,
      cap_drop: ['ALL'],
      stop_grace_period: '45s',
    });
    const names = Object.keys(service?.environment ?? {});
    expect(names.filter((name) => !(name in fields))).toEqual([]);
    const environment = Object.fromEntries(
      Object.entries(service?.environment ?? {}).map(([name, value]) => [name, interpolate(value)]),
    );
    const settings = READERS[role](environment);
    expect(names.filter((name) => !(name in settings) && environment[name] !== '')).toEqual([]);
  });

  test('Redis writes its jobs to disk and evicts none', () => {
    const command = services.redis?.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  test('only this machine reaches the ports', () => {
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  test('what is mounted exists, and the example names every variable that must be given', () => {
    for (const { volumes = [], secrets = [] } of Object.values(services)) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const exists = source.startsWith('.') ? existsSync(join(ROOT, 'infra', source)) : source in compose.volumes;
        expect([source, exists]).toEqual([source, true]);
      }
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret);
    }
    const example = [...readText('infra/compose.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    const wanted = [
      ...asked.filter(([, , kind]) => kind === ':?').map(([, name]) => name),
      ...Object.values(compose.secrets).map(({ environment }) => environment),
    ];
    expect(wanted.filter((name) => !example.includes(name))).toEqual([]);
  });
});

describe('the image', () => {
  const dockerfile = readText('infra/docker/Dockerfile');

  test('is no root, has a health check, and starts the sources as the fleet does', () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK .*healthcheck\.mjs"\]$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "--conditions=@bookiji\/source"/m);
    expect(/^CMD \["(.*)"\]$/m.exec(dockerfile)?.[1]).toBe('apps/ingress/src/main.ts');
  });

  test('holds every process and the operator command, with what they depend on', () => {
    const filters = [...dockerfile.matchAll(/--filter '@bookiji\/([a-z-]+)\.\.\.'/g)].map(([, name]) => name);
    expect(filters.sort()).toEqual([...ROLES, 'cli'].sort());
    const ports = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ').map(Number);
    expect(ports?.sort()).toEqual(ROLES.map((role) => fields[PORTS[role]].parse(undefined)).sort());
  });

  test('the health check says yes to the process of the container, and no to silence', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? 200 : 404).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const silent = { INGRESS_PORT: '1', INBOUND_WORKER_PORT: '1', OUTBOUND_WORKER_PORT: '1', RETRY_WORKER_PORT: '1' };
    expect(await checkHealth({ ...silent, OPS_PORT: String(port) })).toBe(0);
    await new Promise((resolve) => server.close(resolve));
    expect(await checkHealth({ ...silent, OPS_PORT: '1' })).toBe(1);
  });
});

async function checkHealth(env: Record<string, string>): Promise<number | null> {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [join(ROOT, 'infra/docker/healthcheck.mjs')], { env });
  return new Promise((resolve) => child.once('exit', resolve));
}
