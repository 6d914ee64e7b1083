import type { Drill } from '../drill.ts';
import type { PrivateWord, PrivateWords } from '../target/private-words.ts';
import type { LogLine } from '../target/target.ts';

export const noSecretsInLogs: Drill = {
  name: 'no-secrets-in-logs',
  title: 'No line of any process, down to the finest level, holds a secret, a token, a title, a name or an address',
  proves: ['B-3'],
  needs: ['owned'],
  phase: 'last',
  async run(scene) {
    const { notes, owned, target } = scene;
    const words = target.privateWords.all();
    const found = findLeaks(owned.lines, target.privateWords);
    notes.did('searched everything that the processes wrote', { lines: owned.lines.length, words: words.length });
    // Where and what kind, never the word itself.
    notes.saw('[B-3] nothing private is in any line', found, []);

    const roles = [...new Set(owned.lines.map(({ role }) => role))];
    const silent = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops'].filter(
      (role) => !roles.includes(role),
    );
    notes.saw('[B-3] every process was heard', silent, []);
    const levels = ['info', 'debug'].filter((level) =>
      owned.lines.some(({ line }) => line.includes(`"level":"${level}"`)),
    );
    notes.saw('[B-3] down to the finest level in use', levels, ['info', 'debug']);
    // The search itself is searched: what is planted must be found, each word by itself.
    const missed = words.filter((word) => findLeaks(plant(word), target.privateWords).length === 0);
    notes.saw('[B-3] each of the words is found where it is planted', missed.length, 0);
  },
};

/** Where private words stand in lines: the role and the kinds. A word is found as it is and as JSON and URLs write it. */
export function findLeaks(lines: readonly LogLine[], words: PrivateWords): { role: string; kinds: string[] }[] {
  const forms = new Map<string, string>();
  for (const { kind, word } of words.all()) {
    for (const form of [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word)]) forms.set(form, kind);
  }
  return lines.flatMap(({ role, line }) => {
    const kinds = new Set([...forms].flatMap(([form, kind]) => (line.includes(form) ? [kind] : [])));
    return kinds.size === 0 ? [] : [{ role, kinds: [...kinds] }];
  });
}

function plant({ word }: PrivateWord): LogLine[] {
  return [
    { role: 'planted', line: JSON.stringify({ level: 'debug', role: 'ingress', msg: `request for ${word} failed` }) },
  ];
}
