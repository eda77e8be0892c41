import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const OTHERS = /(?:^|\/)node_modules\//;

export type SourceMap = {
  readonly version: number;
  readonly sources: readonly string[];
  readonly mappings: string;
};

/** Lets the maps below a folder say of our own code where each piece comes from, and of what others wrote, which is most, no more than its files. */
export async function mapOwnCode(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.map')) continue;
    const path = join(entry.parentPath, entry.name);
    await writeFile(path, JSON.stringify(ownCode(JSON.parse(await readFile(path, 'utf8')) as SourceMap)));
  }
}

/**
 * The map without positions in code of others: where such code begins, one says that it comes from nowhere.
 * Source: tc39.es/ecma426, "Mappings structure"
 */
export function ownCode({ version, sources, mappings }: SourceMap): SourceMap {
  const own = sources.map((source) => !OTHERS.test(source));
  const read = { source: 0, line: 0, column: 0 };
  const written = { source: 0, line: 0, column: 0 };
  // Also from line to line: readers take what stands before for what follows.
  let open = false;
  const lines = mappings.split(';').map((line) => {
    let [from, to] = [0, 0];
    const kept: string[] = [];
    const write = (...fields: readonly number[]): void => {
      kept.push(fields.map(encode).join(''));
      to = from;
    };
    for (const segment of line === '' ? [] : line.split(',')) {
      const [ahead = 0, source, lineOf = 0, columnOf = 0] = decode(segment);
      from += ahead;
      read.source += source ?? 0;
      read.line += lineOf;
      read.column += columnOf;
      if (source !== undefined && own[read.source] === true) {
        write(from - to, read.source - written.source, read.line - written.line, read.column - written.column);
        Object.assign(written, read);
        open = true;
      } else if (open) {
        write(from - to);
        open = false;
      }
    }
    return kept.join(',');
  });
  return { version, sources, mappings: lines.join(';') };
}

/** Numbers of a segment, five bits a digit, the lowest first; the lowest bit of all is the sign. */
function decode(segment: string): readonly number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) * 2 ** shift;
    shift += 5;
    if (bits >= 32) continue;
    const half = Math.floor(value / 2);
    numbers.push(value % 2 === 1 ? -half : half);
    [value, shift] = [0, 0];
  }
  return numbers;
}

function encode(number: number): string {
  let left = number < 0 ? -number * 2 + 1 : number * 2;
  let text = '';
  do {
    const bits = left % 32;
    left = Math.floor(left / 32);
    text += DIGITS[left > 0 ? bits + 32 : bits];
  } while (left > 0);
  return text;
}
