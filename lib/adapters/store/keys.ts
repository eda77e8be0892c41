import { InvalidInput } from '../../core/errors.ts';

/** Names with this prefix are the local store's own temporary files and locks; no key may hold one. */
export const RESERVED_NAME = '.strata-';

/**
 * Refuses keys that don't mean the same object in a folder and in S3: empty ones, empty, `.` or `..` segments, NUL,
 * text that UTF-8 cannot hold, and segments that begin with the reserved name. Throws InvalidInput.
 */
export function checkKey(key: string): void {
  const wrong = wrongInKey(key);
  if (wrong !== undefined) {
    throw new InvalidInput(`not an object key: got ${JSON.stringify(key)}, which ${wrong}; expected <zone>/<rest>`);
  }
}

/** Refuses a prefix that could leave the store: like a key, but its last segment may be unfinished. */
export function checkPrefix(prefix: string): void {
  const end = prefix.lastIndexOf('/');
  if (end >= 0) checkKey(prefix.slice(0, end));
}

/** Refuses a folder prefix that is neither empty nor ends in `/`. Throws InvalidInput. */
export function checkFolderPrefix(prefix: string): void {
  checkPrefix(prefix);
  if (prefix !== '' && !prefix.endsWith('/')) {
    throw new InvalidInput(`not a folder prefix: got ${JSON.stringify(prefix)}; expected text that ends in '/'`);
  }
}

/** Orders keys by their UTF-8 bytes, as S3 lists them (JavaScript's own order differs beyond U+FFFF). */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return surrogatesLast(left) - surrogatesLast(right);
  }
  return a.length - b.length;
}

/**
 * The key in `<base>/<key>`. Locations are not encoded, so that readers that open one as a path find the file.
 * Throws InvalidInput for a location under another base.
 */
export function keyOfLocation(base: string, location: string): string {
  const key = location.startsWith(`${base}/`) ? location.slice(base.length + 1) : undefined;
  if (key === undefined) {
    throw new InvalidInput(
      `location outside this store: got ${JSON.stringify(location)}; expected text that begins with ${base}/. ` +
        'A file that another engine took from elsewhere has to be rewritten into the table by it',
    );
  }
  checkKey(key);
  return key;
}

/** What keeps a text from being a key, as the rest of a sentence; undefined for a key. */
export function wrongInKey(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (key.includes('\0')) return 'holds a NUL character';
  if (!key.isWellFormed()) return 'holds half a surrogate pair';
  for (const segment of key.split('/')) {
    if (segment === '') return 'holds an empty segment';
    if (segment === '.' || segment === '..') return `holds the segment '${segment}'`;
    if (segment.startsWith(RESERVED_NAME)) return `holds a segment that begins with '${RESERVED_NAME}'`;
  }
  return undefined;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
