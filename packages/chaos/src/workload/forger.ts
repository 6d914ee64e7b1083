/** Sends notifications that nobody at a calendar provider ever sent. None may be believed. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Ledger } from '../audit/ledger.ts';
import type { Stage } from '../stage/open-stage.ts';
import type { Desk } from './connect-calendars.ts';

export class Forger {
  sent = 0;
  readonly #stage: Stage;
  readonly #ledger: Ledger;
  readonly #underway = new Set<Promise<void>>();

  constructor(stage: Stage, ledger: Ledger) {
    this.#stage = stage;
    this.#ledger = ledger;
  }

  send(desks: readonly Desk[]): void {
    for (const desk of desks) {
      this.sent += 1;
      const sent = this.#send(desk).finally(() => this.#underway.delete(sent));
      this.#underway.add(sent);
    }
  }

  async #send({ connectionId, calendar }: Desk): Promise<void> {
    // The form is right, the connection exists, the proof is made up.
    const channelId = `${connectionId.replaceAll('-', '')}-${randomBytes(8).toString('hex')}`;
    const proof = randomBytes(32).toString('base64url');
    const url = `${this.#stage.ingress.url}/api/webhooks/calendar/${calendar.calendarProvider}`;
    const init = calendar.calendarProvider === 'google' ? forGoogle(channelId, proof) : forGraph(channelId, proof);
    const signal = AbortSignal.timeout(3_000);
    const status = await fetch(url, { method: 'POST', signal, ...init }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    this.#ledger.forgeries.set(status, (this.#ledger.forgeries.get(status) ?? 0) + 1);
  }

  async done(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }
}

function forGoogle(channelId: string, proof: string) {
  return {
    headers: {
      'x-goog-channel-id': channelId,
      'x-goog-channel-token': proof,
      'x-goog-message-number': '2',
      'x-goog-resource-id': 'made-up',
      'x-goog-resource-state': 'exists',
    },
  };
}

function forGraph(channelId: string, proof: string) {
  const item = {
    id: randomUUID(),
    subscriptionId: randomUUID(),
    clientState: `${channelId}.${proof}`,
    changeType: 'updated',
    resource: 'Users/made-up/Events/made-up',
  };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ value: [item] }) };
}
