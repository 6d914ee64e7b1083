/** The operator's hand, over ops' HTTP routes. */
import { expectJson, type HttpAnswer, requestJson } from '@bookiji/local-fleet';

export type Flags = Readonly<Record<string, boolean>>;
export type FleetMetrics = Readonly<Record<string, unknown>>;

export interface OpsClient {
  readonly url: string;
  flags(): Promise<Flags>;
  setFlags(change: Flags): Promise<Flags>;
  /** The sum over the fleet: plain numbers under their names, the labelled parts under `<name>_by_label`. */
  metrics(): Promise<FleetMetrics>;
  prometheusText(): Promise<string>;
  request<Body>(method: string, path: string, token?: string): Promise<HttpAnswer<Body>>;
}

export function createOpsClient(url: string, token: string): OpsClient {
  const headers = { authorization: `Bearer ${token}` };
  const metricsPath = `${url}/api/ops/metrics/calendar`;
  return {
    url,
    flags: async () => (await expectJson<{ flags: Flags }>(`${url}/api/ops/flags`, { headers })).flags,
    setFlags: async (change) =>
      (await expectJson<{ flags: Flags }>(`${url}/api/ops/flags`, { method: 'PUT', headers, body: change })).flags,
    metrics: async () => (await expectJson<{ metrics: FleetMetrics }>(metricsPath, { headers })).metrics,
    prometheusText: () => expectJson<string>(`${metricsPath}?format=prometheus`, { headers }),
    request: (method, path, given) =>
      requestJson(`${url}${path}`, {
        method,
        headers: given === undefined ? {} : { authorization: `Bearer ${given}` },
      }),
  };
}
