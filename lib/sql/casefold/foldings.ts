/**
 * What each character becomes that Unicode's NFKC and full case folding make another of, by what JavaScript knows of both. ASCII is
 * left out: SQL has `lower` for it.
 */
export type Foldings = {
  /** Of one character each: what it becomes, of which nothing becomes anything else. */
  readonly texts: ReadonlyMap<number, string>;
  /** Those that have to be taken apart before anything else is done: by SQL's `lower` or by composing they would be others. */
  readonly apart: readonly (readonly [character: string, text: string])[];
};

const LAST = 0x10ffff;
const AT_ONCE = 4096;
const CHANGES = /\p{Changes_When_NFKC_Casefolded}/gu;
/** It is a mark where it stands below, and a letter when it is folded. */
const IOTA_BELOW = '\u0345';
/** So it is where a letter comes to be one: the sound marks of half a width. */
const MARK = /^\p{Mn}/u;
/** A letter of its own; Turkish alone takes it for an i. */
const DOTLESS = '\u0131';

let found: Foldings | undefined;

/** Looked for once. */
export function foldings(): Foldings {
  found ??= findFoldings();
  return found;
}

function findFoldings(): Foldings {
  const texts = new Map<number, string>();
  const apart: [string, string][] = [];
  for (const character of changing()) {
    const composed = character.normalize('NFKC');
    const text = [...composed].map(foldCase).join('').normalize('NFC');
    if (text === character.normalize('NFC')) continue;
    texts.set(character.codePointAt(0) ?? 0, text);
    const lower = composed.toLowerCase();
    const isLonger = composed === character && [...lower].length > 1;
    const becomesMark = MARK.test(composed) && !MARK.test(character);
    if (isLonger || becomesMark || composed.includes(IOTA_BELOW)) apart.push([character, lower]);
  }
  return { texts, apart };
}

function* changing(): Generator<string> {
  for (let first = 0x80; first <= LAST; first += AT_ONCE) {
    const codes = Array.from({ length: Math.min(AT_ONCE, LAST + 1 - first) }, (_, nth) => first + nth);
    yield* String.fromCodePoint(...codes).match(CHANGES) ?? [];
  }
}

/** Letters that are one in upper case are one; so are those that have one in lower case. */
function foldCase(character: string): string {
  return character === DOTLESS ? character : character.toLowerCase().toUpperCase().toLowerCase();
}
