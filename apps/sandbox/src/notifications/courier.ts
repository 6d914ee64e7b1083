/** Carries notifications to their addresses, tries again as the provider would, and keeps a record of it. */
import http from 'node:http';
import https from 'node:https';
import type { Provider } from '../provider.ts';
import type { SandboxSettings } from '../settings.ts';
import type { Fate, NotificationKind } from './notification-faults.ts';

export interface Parcel {
  readonly provider: Provider;
  /** Google's channel or Graph's subscriptions. */
  readonly channels: readonly string[];
  readonly kind: NotificationKind;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isAccepted: (status: number) => boolean;
  /** Status 0 stands for no answer at all. */
  readonly isRetried: (status: number) => boolean;
}

export interface Delivery {
  readonly id: number;
  readonly at: string;
  readonly calendar_provider: Provider;
  readonly channels: readonly string[];
  readonly kind: NotificationKind;
  readonly url: string;
  readonly message_number: number | null;
  readonly item_count: number;
  readonly attempts: { at: string; status: number }[];
  outcome: 'pending' | 'delivered' | 'failed' | Fate;
}

export interface ParcelNote {
  readonly messageNumber?: number;
  readonly itemCount?: number;
}

/** Since the start, of one provider. Graph's notifications are items; a delivery carries one or more. */
export interface CourierTotals {
  /** Handed over for delivery, repeats on order included. */
  notifications: number;
  /** Requests, those that were tried again included. */
  requests: number;
  delivered: number;
  failed: number;
  /** Never sent, on order. */
  withheld: number;
}

const KEPT = 10_000;
const LONGEST_WAIT_MS = 5_000;

export class Courier {
  readonly #settings: SandboxSettings;
  readonly #now: () => number;
  #log: Delivery[] = [];
  #lastId = 0;
  #pending = 0;
  #totals = new Map<Provider, CourierTotals>();
  readonly #closing = new AbortController();
  readonly #asked = new Set<http.ClientRequest>();
  readonly #agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };

  constructor(settings: SandboxSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Starts carrying; does not wait. */
  send(parcel: Parcel, note: ParcelNote = {}): Delivery {
    const delivery = this.#note(parcel, note, 'pending');
    this.#of(parcel.provider).notifications += delivery.item_count;
    this.#pending += 1;
    void this.#carry(parcel, delivery).finally(() => {
      this.#pending -= 1;
    });
    return delivery;
  }

  /** Records a notification that was never sent. */
  noteUnsent(parcel: Parcel, fate: Fate, note: ParcelNote = {}): void {
    this.#note(parcel, note, fate);
    this.#of(parcel.provider).withheld += note.itemCount ?? 1;
  }

  get pending(): number {
    return this.#pending;
  }

  deliveries(): readonly Delivery[] {
    return this.#log;
  }

  totals(): Record<string, CourierTotals> {
    return Object.fromEntries(this.#totals);
  }

  #of(provider: Provider): CourierTotals {
    const totals = this.#totals.get(provider) ?? {
      notifications: 0,
      requests: 0,
      delivered: 0,
      failed: 0,
      withheld: 0,
    };
    this.#totals.set(provider, totals);
    return totals;
  }

  clear(): void {
    this.#totals.clear();
    this.#log = [];
  }

  close(): void {
    this.#closing.abort();
    for (const asked of this.#asked) asked.destroy();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #note(parcel: Parcel, note: ParcelNote, outcome: Delivery['outcome']): Delivery {
    this.#lastId += 1;
    const delivery: Delivery = {
      id: this.#lastId,
      at: new Date(this.#now()).toISOString(),
      calendar_provider: parcel.provider,
      channels: parcel.channels,
      kind: parcel.kind,
      url: parcel.url,
      message_number: note.messageNumber ?? null,
      item_count: note.itemCount ?? 1,
      attempts: [],
      outcome,
    };
    this.#log.push(delivery);
    if (this.#log.length > 2 * KEPT) this.#log = this.#log.slice(-KEPT);
    return delivery;
  }

  async #carry(parcel: Parcel, delivery: Delivery): Promise<void> {
    const { retry_base_ms: baseMs, max_attempts: most } = this.#settings.notifications;
    for (let attempt = 1; ; attempt += 1) {
      const status = await this.#post(parcel);
      this.#of(parcel.provider).requests += 1;
      delivery.attempts.push({ at: new Date(this.#now()).toISOString(), status });
      if (parcel.isAccepted(status)) {
        delivery.outcome = 'delivered';
        this.#of(parcel.provider).delivered += delivery.item_count;
        return;
      }
      if (!parcel.isRetried(status) || attempt >= most || this.#closing.signal.aborted) {
        delivery.outcome = 'failed';
        this.#of(parcel.provider).failed += delivery.item_count;
        return;
      }
      await this.#wait(Math.min(baseMs * 2 ** (attempt - 1), LONGEST_WAIT_MS));
    }
  }

  /** By a plain client: `fetch` took a sixth of the sandbox's time. */
  #post({ url, headers, body }: Parcel): Promise<number> {
    return new Promise((resolve) => {
      if (this.#closing.signal.aborted) return resolve(0);
      const isPlain = url.startsWith('http:');
      const { request } = isPlain ? http : https;
      const asked = request(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: isPlain ? this.#agents.http : this.#agents.https,
      });
      this.#asked.add(asked);
      const timer = setTimeout(() => asked.destroy(), this.#settings.notifications.timeout_ms);
      const finish = (status: number) => {
        clearTimeout(timer);
        this.#asked.delete(asked);
        resolve(status);
      };
      asked.once('response', (answer) => {
        answer.resume();
        answer.once('end', () => finish(answer.statusCode ?? 0));
      });
      asked.once('error', () => finish(0));
      // Closed before its end, or after it, when this is nothing new.
      asked.once('close', () => finish(0));
      asked.end(body);
    });
  }

  async #wait(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#closing.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Both calendar providers demand https; a loopback address is accepted here, since it is ours. */
export function isAcceptableAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (/^127\./.test(hostname) || hostname === 'localhost' || hostname === '[::1]');
}
