/** Requests as any client may send them: headers twice, bodies in pieces, no length, broken JSON. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface HttpAsk {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** Sends the body in chunks of this many bytes, without saying how long it is. */
  readonly chunkBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect in it
  readonly json: any;
}

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export function sendRequest(url: string, method: string, ask: HttpAsk): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { body, chunkBytes, headers = {} } = ask;
    const outgoing = request(url, { method, agent, headers: { ...frame(ask), ...headers } as Record<string, string> });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const answered = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(answered),
          text,
          json: readJson(text),
        });
      });
    });
    if (body === undefined) outgoing.end();
    else if (chunkBytes === undefined) outgoing.end(body);
    else {
      const bytes = Buffer.from(body);
      for (let at = 0; at < bytes.length; at += chunkBytes) outgoing.write(bytes.subarray(at, at + chunkBytes));
      outgoing.end();
    }
  });
}

/** Said in either case: of some methods Node would send a body without any frame. */
function frame({ body, chunkBytes }: HttpAsk): Record<string, string> {
  if (body === undefined) return {};
  return chunkBytes === undefined
    ? { 'content-length': String(Buffer.byteLength(body)) }
    : { 'transfer-encoding': 'chunked' };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Writes bytes to the port as they are and gives all that comes back until the server closes.
 *
 * @param patienceMs hangs up after so long without a word; by default never.
 */
export function sendBytes(port: number, bytes: string | Buffer, patienceMs = 0): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(patienceMs, () => socket.destroy());
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}
