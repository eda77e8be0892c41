import { EngineError } from '../core/errors.ts';
import type { SourceFormat } from '../core/spec.ts';
import { rejectTables } from '../sql/batch.ts';
import { readingDialect } from '../sql/csv-dialect.ts';
import { type FileLayout, renderRawRows } from '../sql/raw-rows.ts';
import type { Binding } from './conditions.ts';
import type { SourceDraft } from './draft.ts';
import { placeIn, showValue } from './notes.ts';

/** Notes options of a text source that its reader refuses: the reader is bound on a file of no bytes. */
export async function checkReader(binding: Binding, { spec, place }: SourceDraft, empty: string): Promise<void> {
  const { format } = spec;
  if (format.kind === 'parquet') return;
  const lines = { maxRecordBytes: 0, maxFileBytes: 0 };
  const layout: FileLayout =
    format.kind === 'json'
      ? { kind: format.layout, ...lines }
      : { kind: 'csv', header: spec.columns.map((column) => column.source), ...lines };
  const text = renderRawRows(spec, { layout, paths: [empty] }, rejectTables('empty'));
  try {
    await binding.session.describe({ name: 'reader', text });
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    const reason = (cause.message.split('\n')[0] ?? '').replace(/^reader: (?:\w+ Error: )?/, '');
    const { option, value, expected } = blame(format, reason);
    binding.notes.add(option === undefined ? place : placeIn(place, option), `${value}: ${reason}`, expected);
  }
}

type Blame = { readonly option: string | undefined; readonly value: string; readonly expected: string };

/** The option that a refusal is about, by the names that DuckDB gives to them. */
function blame(format: Exclude<SourceFormat, { kind: 'parquet' }>, reason: string): Blame {
  if (format.kind === 'csv') {
    const read = readingDialect(format);
    if (/\bNULL\b/.test(reason)) {
      const expected = 'texts that stand in no delimiter and hold no delimiter and no quote';
      return { option: 'nullText', value: showValue(format.nullText), expected };
    }
    if (/\bESCAPE\b/.test(reason) && read.escape !== read.quote) {
      return { option: 'escape', value: showValue(format.escape), expected: 'a character other than the delimiter' };
    }
    if (/\b(?:QUOTE|DELIMITER)\b/.test(reason)) {
      return { option: 'quote', value: showValue(format.quote), expected: 'a character other than the delimiter' };
    }
  }
  return { option: undefined, value: showValue(format), expected: 'options that go together' };
}
