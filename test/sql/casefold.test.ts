import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { dropCasefold, setCasefold } from '../../lib/sql/casefold/casefold.ts';
import { foldings } from '../../lib/sql/casefold/foldings.ts';
import { quoteTexts } from '../../lib/sql/quote.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
before(() => db.run(...setCasefold()));

async function folded(texts: readonly string[]): Promise<readonly string[]> {
  const [[found] = []] = await db.values(`SELECT list_transform(${quoteTexts(texts)}, lambda one: casefold(one))`);
  assert.ok(Array.isArray(found));
  return found.map(String);
}

/** By the letter: NFKC, each character folded, NFKC. */
function byTheLetter(text: string): string {
  const each = [...text.normalize('NFKC')].map((character) =>
    character === '\u0131' ? character : character.toLowerCase().toUpperCase().toLowerCase(),
  );
  return each.join('').normalize('NFKC');
}

test('texts are folded as people read them', async () => {
  const cases: readonly (readonly [text: string, expected: string])[] = [
    ['The QUICK fox 1', 'the quick fox 1'],
    ['', ''],
    ['STRASSE Straße STRAẞE', 'strasse strasse strasse'],
    ['ΌΔΟΣ όδος', 'όδοσ όδοσ'],
    ['Cafe\u0301 CAFÉ', 'café café'],
    ['ＡＢＣ① ﬁ ½ ℡', 'abc1 fi 1⁄2 tel'],
    ['İI ıi', 'i\u0307i ıi'],
    ['ᾼ \u1fb3 \u03b1\u0345', 'αι αι αι'],
    ['\u037a\u0301', ' \u0301ι'],
    ['\u33c0\u0327\u0342\u0345', 'kῶ\u0327ι'],
    ['\u037a\u0308\u0342\uff9f', ' \u309a\u0308\u0342ι'],
    ['\u30cf\uff9f ﾊﾞ', 'パ バ'],
    ['\u1100\u1161 가', '가 가'],
    ['ДОМ дом', 'дом дом'],
    ['ꭰ Ꭰ', 'ꭰ ꭰ'],
    ['\u1e9b\u0323', '\u1e69'],
    ['𝐀𝒷ℂ', 'abc'],
    ['नमस्ते', 'नमस्ते'],
  ];
  assert.deepEqual(
    await folded(cases.map(([text]) => text)),
    cases.map(([, expected]) => expected),
  );
  assert.deepEqual(await db.values('SELECT casefold(NULL)'), [[null]]);
});

test('every character of Unicode is folded by the letter, and what comes out is folded', async () => {
  // Apart from each other, so that none is composed with its neighbour.
  const rows = await db.values(`
    SELECT casefold(string_agg(' ' || chr(CAST(code AS INTEGER)), '' ORDER BY code)) AS text FROM range(1, 1114112) AS t(code)
    WHERE code NOT BETWEEN 55296 AND 57343 GROUP BY code // 512 ORDER BY code // 512`);
  const codes = Array.from({ length: 0x110000 }, (_, code) => code).filter((one) => one < 0xd800 || one > 0xdfff);
  const expected = codes.slice(1).map((code) => byTheLetter(String.fromCodePoint(code)));
  const found = rows.map(([text]) => String(text)).join('');
  assert.ok(found === expected.map((text) => ` ${text}`).join(''), 'a character is folded otherwise');
  for (const text of foldings().texts.values()) assert.equal(byTheLetter(text), text);
});

test('characters beside each other are folded by the letter', async () => {
  const changing = [...foldings().texts.keys()].map((code) => String.fromCodePoint(code));
  const marks = ['\u0301', '\u0308', '\u0323', '\u0327', '\u0338', '\u0342', '\u0345', '\u0313', '\u094d', '\u200d'];
  const letters = [...'aAiIjJsSkKΑαΗηΣσΩωΥυ가ㄱश가', '\u1100', '\u1161', '\u11a8', '\u037a', '\u0130', '\u0131'];
  const one = fc.oneof(fc.constantFrom(...changing), fc.constantFrom(...marks), fc.constantFrom(...letters));
  const seed = Date.now() % 1_000_000;
  const texts = fc.sample(
    fc.array(one, { minLength: 1, maxLength: 6 }).map((each) => each.join('')),
    { seed, numRuns: 4000 },
  );
  const found = await folded(texts);
  texts.forEach((text, at) => {
    // Composed with what a form of compatibility ends in, an iota below would be a letter before other marks of it, not after them.
    if (text.includes('\u0345') && text.normalize('NFKC') !== text.normalize('NFC')) return;
    const points = [...text].map((character) => character.codePointAt(0)?.toString(16)).join(' ');
    assert.equal(found[at], byTheLetter(text), `${points} (seed ${seed})`);
  });
});

test('a session forgets it', async () => {
  await db.run(...dropCasefold());
  await assert.rejects(db.values(`SELECT casefold('A')`), /casefold does not exist/);
  await db.run(...setCasefold());
  assert.deepEqual(await db.values(`SELECT casefold('A')`), [['a']]);
});
