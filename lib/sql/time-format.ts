/** A strptime format as data: what stands between its parts, and the parts themselves, such as `%d`. */
export type TimeFormat = { readonly kind: 'format'; readonly parts: readonly FormatPart[] };

export type FormatPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly field: string };

const SEVERAL: Readonly<Record<string, string>> = {
  '%c': '%Y-%m-%d %H:%M:%S',
  '%x': '%Y-%m-%d',
  '%X': '%H:%M:%S',
  '%T': '%H:%M:%S',
  '%h': '%b',
};

const SHORT_DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const SHORT_MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

const anyOf = (names: readonly string[]): string => `(?i:${names.join('|')})`;

/** Offsets as ISO 8601 writes them, of less than a day. */
export const OFFSET = '(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)';

/** What each field may look like; for numbers the shortest and the longest. */
const WORDS: Readonly<Record<string, string>> = {
  '%a': anyOf(SHORT_DAYS),
  '%A': anyOf(DAYS),
  '%b': anyOf(SHORT_MONTHS),
  '%B': anyOf(MONTHS),
  '%p': '(?i:am|pm)',
  '%z': OFFSET,
  '%Z': '[A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*',
};
const DIGITS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  ...{ '%Y': [4, 4], '%G': [4, 4], '%y': [2, 2], '%-y': [1, 2], '%w': [1, 1], '%u': [1, 1] },
  ...{ '%m': [1, 2], '%-m': [1, 2], '%d': [1, 2], '%-d': [1, 2], '%j': [1, 3], '%-j': [1, 3] },
  ...{ '%H': [1, 2], '%-H': [1, 2], '%I': [1, 2], '%-I': [1, 2], '%M': [1, 2], '%-M': [1, 2] },
  ...{ '%S': [1, 2], '%-S': [1, 2], '%U': [1, 2], '%W': [1, 2], '%V': [1, 2] },
  ...{ '%f': [1, 6], '%g': [1, 3], '%n': [1, 9] },
};

export const TIME_FIELDS = [...Object.keys(WORDS), ...Object.keys(DIGITS), ...Object.keys(SEVERAL), '%%'].join(' ');

/** The parts of a format, `%c` and the like taken apart; or the first part that means nothing. */
export function parseTimeFormat(format: string): TimeFormat | { readonly kind: 'unknown'; readonly field: string } {
  const whole = format.replaceAll(/%[%cxXT]/g, (field) => SEVERAL[field] ?? field);
  const parts: FormatPart[] = [];
  for (const [piece] of whole.matchAll(/%-?.?|[^%]+/gsu)) {
    if (!piece.startsWith('%')) parts.push({ kind: 'text', text: piece });
    else if (piece === '%%') parts.push({ kind: 'text', text: '%' });
    else if (piece in WORDS || piece in DIGITS) parts.push({ kind: 'field', field: piece });
    else return { kind: 'unknown', field: piece };
  }
  return { kind: 'format', parts };
}

/** The format's own text. */
export function renderTimeFormat(parts: readonly FormatPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text.replaceAll('%', '%%') : part.field)).join('');
}

/**
 * A regular expression (RE2) of the texts that a format stands for: numbers with or without leading zeros, names in any
 * case, one blank or more for a blank. A number right beside another has to be as long as it can be.
 */
export function renderGrammar(parts: readonly FormatPart[], captured?: number): string {
  const pieces = parts.map((_, at) => (at === captured ? `(${pattern(parts, at)})` : pattern(parts, at)));
  return `\\s*${pieces.join('')}\\s*`;
}

function pattern(parts: readonly FormatPart[], at: number): string {
  const part = parts[at];
  if (part === undefined) return '';
  if (part.kind === 'text')
    return part.text.replaceAll(/ +|[^A-Za-z0-9 ]/gsu, (c) => (c.startsWith(' ') ? ' +' : literal(c)));
  const digits = DIGITS[part.field];
  if (digits === undefined) return WORDS[part.field] ?? '';
  const [least, most] = digits;
  const between = `[0-9]{${isNumber(parts[at - 1]) || isNumber(parts[at + 1]) ? most : least},${most}}`;
  // A microsecond is the finest that a timestamp keeps.
  return part.field === '%n' ? `(?:${between.replace('9}', '6}')}|[0-9]{6}0{1,3})` : between;
}

function isNumber(part: FormatPart | undefined): boolean {
  return part?.kind === 'field' && part.field in DIGITS;
}

function literal(character: string): string {
  return character.length === 1 && character.charCodeAt(0) < 128
    ? `[${/[\]\\^]/.test(character) ? '\\' : ''}${character}]`
    : character;
}

/** Fields that one instant settles each by itself; two of a line, or a field that stands in none, may contradict. */
const SETTLING: readonly (readonly string[])[] = [
  ['%Y', '%y', '%-y'],
  ['%m', '%-m', '%b', '%B'],
  ['%d', '%-d'],
  ['%H', '%-H', '%I', '%-I'],
  ['%M', '%-M'],
  ['%S', '%-S'],
  ['%f', '%g', '%n'],
];

/** Whether the fields of a text may say different things: a weekday that is not the date's, a 13th hour in the morning. */
export function mayContradict(parts: readonly FormatPart[]): boolean {
  const fields = parts.flatMap((part) =>
    part.kind === 'field' && part.field !== '%z' && part.field !== '%Z' ? [part.field] : [],
  );
  const lines = fields.map((field) => SETTLING.findIndex((line) => line.includes(field)));
  const ofTwelve = fields.includes('%I') || fields.includes('%-I');
  return fields.some((field, i) =>
    field === '%p' ? !ofTwelve : lines[i] === -1 || lines.indexOf(lines[i] as number) < i,
  );
}

/** Whether a format says more than a day. */
export function hasTime(parts: readonly FormatPart[]): boolean {
  return parts.some((part) => part.kind === 'field' && /^%-?[HIpMSfgnzZ]$/.test(part.field));
}
