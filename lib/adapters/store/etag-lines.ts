import { crc32 } from 'node:zlib';

/** What a file of bronze had when it was seen with a stamp. */
export type KnownEtag = { readonly stamp: string; readonly etag: string };
export type EtagLine = KnownEtag & { readonly key: string };

/** A line of an index of etags, with a sum, so that what is damaged or torn is told from what is whole. */
export function renderLine({ key, stamp, etag }: EtagLine): string {
  const text = `${stamp} ${etag} ${JSON.stringify(key)}`;
  return `${sumOf(text)} ${text}`;
}

/** `undefined` for a line that is not whole. */
export function parseLine(line: string): EtagLine | undefined {
  const [sum, stamp, etag] = line.split(' ', 3);
  if (sum === undefined || stamp === undefined || etag === undefined) return undefined;
  if (sumOf(line.slice(sum.length + 1)) !== sum) return undefined;
  const key = JSON.parse(line.slice(sum.length + stamp.length + etag.length + 3)) as string;
  return { key, stamp, etag };
}

function sumOf(text: string): string {
  return crc32(text).toString(16);
}
