import { timingSafeEqual } from 'node:crypto';
import type { Provider } from '../provider.ts';

export interface OAuthClient {
  readonly provider: Provider;
  readonly clientId: string;
  /** Any of them is right: two while one is being rotated. Empty until the client has shown one, if nobody registered it. */
  clientSecrets: readonly string[];
  /** Null: any address. */
  redirectUris: readonly string[] | null;
}

/**
 * The registered applications. One that nobody registered is taken in at its first appearance and held to what it
 * showed first, so that a demo needs no preparation; a registered one is held to its registration.
 */
export class OAuthClients {
  readonly #clients = new Map<string, OAuthClient>();

  register(client: OAuthClient): void {
    this.#clients.set(`${client.provider}:${client.clientId}`, client);
  }

  meet(provider: Provider, clientId: string): OAuthClient {
    const key = `${provider}:${clientId}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = { provider, clientId, clientSecrets: [], redirectUris: null };
      this.#clients.set(key, client);
    }
    return client;
  }

  /** @returns null when the secret is not the client's. */
  authenticate(provider: Provider, clientId: string, secret: string): OAuthClient | null {
    const client = this.meet(provider, clientId);
    if (client.clientSecrets.length === 0) client.clientSecrets = [secret];
    return client.clientSecrets.some((known) => isSame(known, secret)) ? client : null;
  }

  clear(): void {
    this.#clients.clear();
  }
}

export function acceptsRedirect(client: OAuthClient, redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  return client.redirectUris === null || client.redirectUris.includes(redirectUri);
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
