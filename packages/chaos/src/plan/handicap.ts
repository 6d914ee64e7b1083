/** A defence that is taken away, so that the run must fail. */
export type Handicap = 'no_sweeps' | 'provider_made_ids' | 'no_etags';
export const HANDICAPS: readonly Handicap[] = ['no_sweeps', 'provider_made_ids', 'no_etags'];
