/** The manifests name every process, give each the settings it reads, and no more rights than it needs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { nodeOptionsOf } from '@bookiji/local-fleet';
import { fields } from '@bookiji/runtime';
import { describe, expect, test } from '@jest/globals';
import { type Container, type Deployment, type Manifest, ROLES, type Role, readManifests } from './manifests.ts';
import { PORTS, READERS, sample } from './process-settings.ts';
import { listFiles, ROOT, readText, readYaml } from './read-files.ts';

/** `runProcess` gives work in flight this long after SIGTERM. */
const DRAIN_SECONDS = 12;

const MIGRATION = 'infra/kubernetes/migrate';

const DATABASE_LOGINS: Readonly<Record<Role, string>> = {
  ingress: 'DATABASE_URL_INGRESS',
  'inbound-worker': 'DATABASE_URL_WORKER',
  'outbound-worker': 'DATABASE_URL_WORKER',
  'retry-worker': 'DATABASE_URL_WORKER',
  ops: 'DATABASE_URL_OPS',
};

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

describe('Kubernetes', () => {
  test('[S-1] the base holds every file but the migration, which is a step of its own', () => {
    const files = listFiles('infra/kubernetes', '.yml').filter((path) => !path.startsWith(MIGRATION));
    expect([...resources, 'kustomization.yml'].map((name) => `infra/kubernetes/${name}`).sort()).toEqual(files);
    expect(readYaml<{ resources: string[] }>(`${MIGRATION}/kustomization.yml`).resources).toEqual(['job.yml']);
  });

  test('[S-1] base and migration are rendered by kustomize, and an overlay gives both their image', () => {
    const overlay = mkdtempSync(join(tmpdir(), 'calsync-overlay-'));
    const from = realpathSync(overlay);
    const resources = ['infra/kubernetes', MIGRATION].map((folder) => relative(from, join(realpathSync(ROOT), folder)));
    const images = [{ name: 'calsync', newName: 'registry.example/calsync', newTag: '1.2.3' }];
    writeFileSync(join(overlay, 'kustomization.yml'), JSON.stringify({ namespace: 'somewhere', resources, images }));
    const { status, stdout, stderr, error } = spawnSync('kubectl', ['kustomize', overlay], { encoding: 'utf8' });
    rmSync(overlay, { recursive: true });
    // kubectl is no tool of this repository; where it is there, it has the last word.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    for (const role of ROLES) expect(stdout).toContain(`- apps/${role}/src/main.ts`);
    const used = [...stdout.matchAll(/^ +(?:- )?image: (.+)$/gm)].map(([, image]) => image);
    expect(used).toEqual(Array(ROLES.length + 1).fill('registry.example/calsync:1.2.3'));
  });

  // A generated name is refused by kustomize and by `kubectl apply`.
  test('every object has a name of its own', () => {
    for (const { kind, metadata } of manifests)
      expect({ kind, ...metadata }).toMatchObject({ name: expect.stringMatching(/./) });
  });

  test('the migration runs as the owner, knows whether queues are in Redis, and is cleared away', () => {
    const [job, ...more] = ofKind<Deployment>('Job');
    expect(more).toEqual([]);
    const { spec } = named<Manifest & { spec: { ttlSecondsAfterFinished: number } }>('Job', 'calsync-migrate');
    expect(spec.ttlSecondsAfterFinished).toBeGreaterThan(0);
    const [container] = job?.spec.template.spec.containers ?? [];
    expect(container).toMatchObject({ image: 'calsync', command: ['calsync'], args: ['migrate', 'up'] });
    // Without REDIS_URL it would prepare queues in PostgreSQL too, which an owner who is no superuser may be refused.
    expect(container?.env).toEqual(
      ['DATABASE_URL', 'REDIS_URL'].map((name) => ({
        name,
        valueFrom: { secretKeyRef: { name: 'calsync', key: name } },
      })),
    );
  });

  describe.each(ROLES)('%s', (role) => {
    test('runs its own entry, not as root, on a root it cannot write', () => {
      const { securityContext, automountServiceAccountToken } = podOf(role);
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(securityContext.runAsUser).toBeGreaterThan(0);
      expect(automountServiceAccountToken).toBe(false);
      const container = containerOf(role);
      expect(container.args).toEqual([...nodeOptionsOf(role), `apps/${role}/src/main.ts`]);
      expect(existsSync(join(ROOT, container.args?.at(-1) ?? 'none'))).toBe(true);
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
        // Each kind of process comes into the database by a login of its own.
        const key = name === 'DATABASE_URL' ? DATABASE_LOGINS[role] : name;
        expect(valueFrom.secretKeyRef).toMatchObject({ name: 'calsync', key });
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

  test('[W-2] ops takes tokens that only look, where there are any', () => {
    const token = containerOf('ops').env?.find(({ name }) => name === 'OPS_READ_ONLY_TOKENS');
    expect(token?.valueFrom.secretKeyRef).toMatchObject({ optional: true });
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

  test('every process reaches what docs/operating.md has it connect to', () => {
    interface Policy extends Manifest {
      spec: {
        egress: {
          to: { ipBlock?: { cidr: string }; namespaceSelector?: unknown }[];
          ports: { protocol: string; port: number }[];
        }[];
      };
    }
    const { egress } = named<Policy>('NetworkPolicy', 'calsync-stores').spec;
    const portsTo = (cidr: string) =>
      egress.flatMap(({ to, ports }) => (to.some(({ ipBlock }) => ipBlock?.cidr === cidr) ? ports : []));
    const text = readText('docs/operating.md');
    const rows = [...text.matchAll(/^\| [^|]+ \| ([\d, ]+) \| every process \|$/gm)].flatMap(([, ports = '']) =>
      ports.split(', ').map(Number),
    );
    expect(rows).toEqual(expect.arrayContaining([5432, 6432, 6379, 26379, 4318]));
    // The addresses in examples too.
    const examples = [...text.matchAll(/\bhost\d?:(\d+)/g)].map(([, port]) => Number(port));
    expect(examples).toContain(26379);
    for (const cidr of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']) {
      const allowed = portsTo(cidr).map(({ protocol, port }) => `${protocol} ${port}`);
      expect([...rows, ...examples].filter((port) => !allowed.includes(`TCP ${port}`))).toEqual([]);
    }
    // Names: of the cluster's own servers, and of the cache that may stand on each node.
    const dns = [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ];
    expect(portsTo('169.254.20.10/32')).toEqual(dns);
    const toCluster = egress.filter(({ to }) => to.some(({ namespaceSelector }) => namespaceSelector !== undefined));
    expect(toCluster.map(({ ports }) => ports)).toEqual([dns]);
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
