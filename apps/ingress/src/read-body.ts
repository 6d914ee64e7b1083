import type { IncomingMessage } from 'node:http';
import { RequestRefusal } from './errors.ts';

/** A notification is at most this long; the limit holds while it streams in, whatever it says of its length. */
export const BODY_LIMIT_BYTES = 256 * 1024;

const EMPTY = Buffer.alloc(0);

/**
 * The raw body: a signature is over these very bytes.
 *
 * @throws RequestRefusal 413 when it is too large, 400 when the sender breaks off.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.headers['content-length'] === '0') return Promise.resolve(EMPTY);
  if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_LIMIT_BYTES) return void chunks.push(chunk);
      // What still comes is let go unread; the connection is closed after the answer.
      request.removeAllListeners('data');
      request.resume();
      reject(tooLarge());
    });
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.once('error', () => reject(new RequestRefusal(400, 'unreadable_body', 'the body broke off')));
  });
}

function tooLarge(): RequestRefusal {
  return new RequestRefusal(413, 'body_too_large', `the body is larger than ${BODY_LIMIT_BYTES} bytes`);
}

/** Deeper than any notification; what is nested without end would exhaust the stack of whoever walks through it. */
const DEEPEST = 64;

/** The body as JSON; null for an empty one. Throws RequestRefusal 400. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return null;
  try {
    const text = body.toString('utf8');
    if (depthOf(text) <= DEEPEST) return JSON.parse(text);
  } catch {
    // Falls through to the one answer.
  }
  throw new RequestRefusal(400, 'invalid_json', 'the body is not JSON, or nested too deeply');
}

/** How deeply brackets nest, those within strings aside. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (isText && letter === '\\') at += 1;
    else if (letter === '"') isText = !isText;
    else if (!isText && (letter === '{' || letter === '[')) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (!isText && (letter === '}' || letter === ']')) depth -= 1;
  }
  return deepest;
}
