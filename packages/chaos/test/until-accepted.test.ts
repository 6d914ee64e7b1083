/** How the booking service of the failpoints hands an event in over HTTP. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { untilAccepted } from '../src/failpoints/scenarios.ts';
import type { Stage } from '../src/stage/open-stage.ts';

let asked = 0;
let answer: (response: ServerResponse) => void;
const server = createServer((_request, response) => {
  asked += 1;
  answer(response);
});
afterEach(async () => {
  asked = 0;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function handIn(given: typeof answer, withinMs?: number): Promise<void> {
  answer = given;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await untilAccepted({ ingress: { url }, environment: { API_TOKENS: 'token' } } as unknown as Stage, {}, withinMs);
}

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

test('an event is handed in again while nobody answers or something is away, until it is accepted', async () => {
  const answers = [(response: ServerResponse) => void response.destroy(), status(503), status(202)];
  await handIn((response) => answers[asked - 1]?.(response));
  expect(asked).toBe(3);
});

test('an event that is refused is not handed in again', async () => {
  await expect(handIn(status(400), 1_000)).rejects.toThrow('a booking event was answered 400');
  expect(asked).toBe(1);
});

test('an event that nobody accepts is given up', async () => {
  await expect(handIn(status(503), 150)).rejects.toThrow('waited 150 ms in vain: a booking event to be accepted');
});
