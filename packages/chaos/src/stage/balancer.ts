/** One address for several ingress processes, as a load balancer gives it: who does not accept is passed over. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param isHealthy asked before each new connection, as a health check would know it; those that are not come last. */
export async function startBalancer(ports: readonly number[], isHealthy: (port: number) => boolean): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server: Server = createServer((client) => {
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
    turn += 1;
    const order = ports.map((_, at) => ports[(turn + at) % ports.length] as number);
    connectFirst(client, [...order.filter(isHealthy), ...order.filter((port) => !isHealthy(port))]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function connectFirst(client: Socket, [port, ...others]: readonly number[]): void {
  client.on('error', () => undefined);
  if (port === undefined) {
    client.destroy();
    return;
  }
  let isConnected = false;
  const upstream = createConnection({ port, host: '127.0.0.1', noDelay: true }, () => {
    isConnected = true;
    client.setNoDelay(true);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on('error', () => {
    if (isConnected) client.destroy();
    else connectFirst(client, others);
  });
  upstream.on('close', () => {
    if (isConnected) client.destroy();
  });
  client.once('close', () => upstream.destroy());
}
