/**
 * What a person would not see as it is: control characters (C0, DEL, C1), line and paragraph separators, and what is
 * ignored in display: directions (bidi), zero width, tags. Selectors of a glyph's variant are not: emojis are full of them.
 */
const HIDDEN = /(?![\uFE00-\uFE0F])[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]/gu;

/** Scripts in whose words joiners say how the letters on both sides look. Source: UAX #31, 2.3.1. */
const SCRIPTS = 'Arab Syrc Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr'.split(' ');
const LETTER = `[${SCRIPTS.map((name) => `\\p{scx=${name}}`).join('')}]`;
const EMOJI = String.raw`(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D(?=\p{Extended_Pictographic})`;
const SHAPING = new RegExp(`((?<=${LETTER})[\\u200C\\u200D](?=${LETTER})|${EMOJI})`, 'u');

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** A value on one line, with all that would be hidden, or drive a terminal, as `\n`, `\u001b` or `\u{e0041}`. */
export function visibleLine(text: string): string {
  return text.replaceAll(HIDDEN, escaped);
}

/** The same for text that is laid out already: its line feeds stay. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN, (char) => (char === '\n' ? char : escaped(char)));
}

/** The same for sentences that people write: joiners stay where they shape what stands on both sides of them. */
export function visibleProse(text: string): string {
  return text
    .split(SHAPING)
    .map((part, at) => (at % 2 === 1 ? part : visibleText(part)))
    .join('');
}

/** JSON text that reads back as the same value, in which nothing is hidden. */
export function visibleJson(json: string): string {
  return json.replaceAll(HIDDEN, (char) => {
    if (char === '\n') return char;
    return Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at))}`).join('');
  });
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return NAMED[char] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${hex(code)}`);
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}
