import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire to a server, in the hands of a test. */
export interface Relay {
  readonly port: number;
  /** Ends what is open and refuses what comes: the server is away. */
  cut(): void;
  /** Keeps everything open and takes new connections, but no byte passes any more: a half-open line. */
  freeze(): void;
  /** The same for what is open now; new connections go through. */
  freezeOpen(): void;
  /** As at the start. What was frozen is ended, as a network does in the end. */
  restore(): void;
  /** Ends what is open; what comes goes to another server. */
  redirect(target: number): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback interface and passes everything on to `target` there. */
export async function startRelay(target: number): Promise<Relay> {
  let goal = target;
  let state: 'passing' | 'cut' | 'frozen' = 'passing';
  const open = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  const end = () => {
    for (const socket of open) socket.destroy();
  };
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    keep(near);
    const far = connect(goal, '127.0.0.1');
    keep(far);
    const passes = () => state === 'passing' && !frozen.has(near);
    near.on('data', (bytes) => passes() && far.write(bytes));
    far.on('data', (bytes) => passes() && near.write(bytes));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      end();
    },
    freeze() {
      state = 'frozen';
    },
    freezeOpen() {
      for (const socket of open) frozen.add(socket);
    },
    restore() {
      if (state === 'frozen') end();
      state = 'passing';
    },
    redirect(next) {
      goal = next;
      end();
    },
    async close() {
      end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
