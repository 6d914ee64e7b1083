/**
 * What to ring after a wish was stored. The domain never rings itself: whoever carries a wish in (console, command line)
 * rings these, and a lost ring costs a sweep's interval.
 */
export interface Bells {
  /** Connections to look at. */
  readonly inbound: readonly string[];
  readonly outbound: readonly { readonly booking_id: string; readonly connection_id: string }[];
  readonly retry: readonly { readonly task: 'keep_channel' | 'disconnect'; readonly connection_id: string }[];
}

export const SILENCE: Bells = { inbound: [], outbound: [], retry: [] };

/** Who wants it, and why; both are kept in the operator log. */
export interface Wish {
  readonly actor: string;
  readonly reason: string | null;
}
