import { LosslessNumber } from 'lossless-json';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { InvalidInput } from '../core/errors.ts';
import type { Notes } from './notes.ts';

/** JSON's own numbers keep their digits as written; other spellings (`007`, `.5`) are the text that they are. */
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * YAML 1.2 as plain values, in which a number is a LosslessNumber. What cannot be read is noted with line and column;
 * `undefined` then.
 */
export function parseYaml(text: string, notes: Notes): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(pos[0]);
    notes.add(`line ${line}, column ${col}`, message.split('\n')[0] ?? message, 'YAML 1.2');
  }
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  return document.contents === null ? undefined : plain(document.contents, (alias) => resolve(alias, document));
}

type Resolve = (alias: Node) => Node | undefined;

function resolve(alias: Node, document: ReturnType<typeof parseDocument>): Node | undefined {
  const found: unknown = isAlias(alias) ? alias.resolve(document) : alias;
  return found as Node | undefined;
}

function plain(given: unknown, resolved: Resolve, depth = 0): unknown {
  if (depth > DEEPEST) throw new InvalidInput(`YAML nested deeper than ${DEEPEST}, or an alias that holds itself`);
  const node = isAlias(given) ? resolved(given) : given;
  if (isScalar(node)) return scalar(node.value, node.source);
  if (isSeq(node)) return node.items.map((item) => plain(item, resolved, depth + 1));
  if (!isMap(node)) return node ?? null;
  const entries = node.items.map(({ key, value }) => [nameOf(key), plain(value, resolved, depth + 1)] as const);
  return Object.fromEntries(entries);
}

const DEEPEST = 100;

function scalar(value: unknown, source: string | undefined): unknown {
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  const text = source ?? String(value);
  return JSON_NUMBER.test(text) ? new LosslessNumber(text) : text;
}

/** `1: x` has a key that is a number; the key of a column or a test is its text. */
function nameOf(key: unknown): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}
