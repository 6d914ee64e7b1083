import { listFiles, readYamlDocuments } from './read-files.ts';

export const ROLES = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops'] as const;
export type Role = (typeof ROLES)[number];

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly args?: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly envFrom: readonly unknown[];
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: { readonly limits: { readonly memory?: string } };
  readonly securityContext: unknown;
}

export interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number };
        readonly containers: readonly Container[];
      };
    };
  };
}

/** Every object of the base and the migration job. */
export function readManifests(): Manifest[] {
  return listFiles('infra/kubernetes', '.yml')
    .filter((path) => !path.endsWith('kustomization.yml'))
    .flatMap((path) => readYamlDocuments<Manifest>(path));
}
