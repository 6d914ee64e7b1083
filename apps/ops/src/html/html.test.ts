import { describe, expect, test } from '@jest/globals';
import { html } from './html.ts';
import { ago, formatSeconds } from './times.ts';

describe('html', () => {
  test('escapes what is put in, in text and attributes, but not HTML itself', () => {
    const evil = `"><script>alert('1')</script>&`;
    expect(html`<p title="${evil}">${html`<b>${evil}</b>`}</p>`.text).toBe(
      '<p title="&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;"><b>&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;</b></p>',
    );
  });

  test('joins lists and leaves out what is not there', () => {
    expect(html`${[1, html`<i>2</i>`, null, undefined, false, '<']}`.text).toBe('1<i>2</i>&#60;');
  });
});

describe('times for people who glance', () => {
  test.each([
    [0, '0 s'],
    [0.0421, '42 ms'],
    [1.26, '1.3 s'],
    [9, '9 s'],
    [59.4, '59 s'],
    [90, '2 min'],
    [7_200, '2 h'],
    [200_000, '2 d'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  test('look back and ahead, with the instant beside', () => {
    const now = new Date('2026-11-24T09:00:00Z');
    expect(ago(new Date('2026-11-24T08:59:00Z'), now).text).toContain('>1 min ago<');
    expect(ago(new Date('2026-11-24T09:05:00Z'), now).text).toContain('datetime="2026-11-24T09:05:00.000Z"');
    expect(ago(new Date('2026-11-24T09:05:00Z'), now).text).toContain('>in 5 min<');
    expect(ago(null, now).text).toContain('never');
  });
});
