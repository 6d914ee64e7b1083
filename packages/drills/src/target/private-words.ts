/** What nobody may ever find in a log or in evidence: every secret, title, address and name that the drills use. */
export interface PrivateWords {
  /** Remembers a word and gives it back. Words too short to be told from chance are not remembered. */
  keep(kind: PrivateKind, word: string): string;
  /** The words that stand in a text. */
  findIn(text: string): PrivateWord[];
  all(): PrivateWord[];
}

export type PrivateKind = 'secret' | 'token' | 'cursor' | 'title' | 'address' | 'name' | 'notes';

export interface PrivateWord {
  readonly kind: PrivateKind;
  readonly word: string;
}

const SHORTEST = 8;

export function createPrivateWords(): PrivateWords {
  const kinds = new Map<string, PrivateKind>();
  const all = () => [...kinds].map(([word, kind]) => ({ kind, word }));
  return {
    keep(kind, word) {
      if (word.length >= SHORTEST) kinds.set(word, kind);
      return word;
    },
    findIn: (text) => all().filter(({ word }) => text.includes(word)),
    all,
  };
}
