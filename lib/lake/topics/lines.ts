import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { TopicRecord } from '../../ports.ts';

const compress = promisify(zstdCompress);
/** Without it, nobody would see a flipped bit. */
const OPTIONS = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** A record as a line of JSON without its end. Bytes that are no text stand beside it, as `value_base64`, and the text is null. */
export function renderLine(topic: string, partition: number, record: TopicRecord): string {
  const value = textOf(record.value);
  const key = textOf(record.key);
  // Offsets and times are numbers of more digits than JavaScript's have.
  return [
    `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${record.offset},"timestamp_ms":${record.timestamp}`,
    `"key":${JSON.stringify(key.text)}`,
    ...bytesOf('key', key),
    `"headers":[${record.headers.map(renderHeader).join(',')}]`,
    `"value":${JSON.stringify(value.text)}`,
    ...bytesOf('value', value),
  ]
    .join(',')
    .concat('}');
}

function renderHeader([name, content]: TopicRecord['headers'][number]): string {
  const key = textOf(name);
  const value = textOf(content);
  const parts = [`"key":${JSON.stringify(key.text)}`, ...bytesOf('key', key)];
  return `{${[...parts, `"value":${JSON.stringify(value.text)}`, ...bytesOf('value', value)].join(',')}}`;
}

type Text = { readonly text: string | null; readonly base64?: string };

function textOf(bytes: Uint8Array | null): Text {
  if (bytes === null) return { text: null };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? { text: buffer.toString('utf8') } : { text: null, base64: buffer.toString('base64') };
}

function bytesOf(name: string, { base64 }: Text): readonly string[] {
  return base64 === undefined ? [] : [`"${name}_base64":"${base64}"`];
}

/** Equal lines make equal bytes. No lines are a blank one, which is no record: a file of no bytes would be damaged. */
export function packLines(lines: readonly string[]): Promise<Uint8Array> {
  return compress(`${lines.join('\n')}\n`, OPTIONS);
}
