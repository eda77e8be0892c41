/**
 * Whether a path, its parts between `/`, is one that a pattern names: `*` stands for any text of a part and `?` for one
 * character of it, as a part of its own `**` for any parts or none. A path that ends in `/` is a folder, and is named when
 * all that could lie below it is.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return new RegExp(`^${renderParts(pattern.split('/'))}$`, 'su').test(path);
}

/** What keeps a text from being a pattern, as the rest of a sentence; undefined for a pattern. */
export function wrongInGlob(pattern: string): string | undefined {
  const parts = pattern.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return "has an empty part, '.' or '..'";
  if (parts.some((part) => part.includes('**') && part !== '**')) return "has '**' beside other text";
  if (/[\\[\]{}!]/.test(pattern)) return 'has one of \\ [ ] { } !, which mean nothing here';
  return undefined;
}

function renderParts(parts: readonly string[]): string {
  return parts
    .map((part, at) => {
      const last = at === parts.length - 1;
      if (part === '**') return last ? '.*' : '(?:[^/]+/)*';
      return `${renderPart(part)}${last ? '' : '/'}`;
    })
    .join('');
}

function renderPart(part: string): string {
  if (part === '*') return '[^/]+';
  const text = (piece: string): string => piece.replaceAll(/[$()+.^|\\[\]{}]/g, '\\$&');
  return part
    .split(/([*?])/)
    .map((piece) => (piece === '*' ? '[^/]*' : piece === '?' ? '[^/]' : text(piece)))
    .join('');
}
