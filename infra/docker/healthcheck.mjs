/** Whether the one process of this container is alive: whichever port answers is its own. */
const PORTS = {
  INGRESS_PORT: 8080,
  OPS_PORT: 8081,
  INBOUND_WORKER_PORT: 9101,
  OUTBOUND_WORKER_PORT: 9102,
  RETRY_WORKER_PORT: 9103,
};

const answers = Object.entries(PORTS).map(async ([variable, port]) => {
  const response = await fetch(`http://127.0.0.1:${process.env[variable] || port}/healthz`, {
    signal: AbortSignal.timeout(4_000),
  });
  if (!response.ok) throw new Error(`answered ${response.status}`);
});
await Promise.any(answers).then(
  () => process.exit(0),
  () => process.exit(1),
);
