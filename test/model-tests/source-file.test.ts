import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRows } from '../../lib/compile/cells.ts';
import { createNotes } from '../../lib/compile/notes.ts';
import type { SourceFormat, SourceSpec } from '../../lib/core/spec.ts';
import { renderSourceFile } from '../../lib/model-tests/source-file.ts';

const CSV = {
  kind: 'csv',
  delimiter: ',',
  quote: '"',
  escape: '"',
  header: true,
  encoding: 'utf-8',
  nullText: [''],
} as const;

type Format = Exclude<SourceFormat, { kind: 'parquet' }>;

function sourceOf(format: Format): SourceSpec {
  const column = (name: string) =>
    ({ source: name, name, type: { kind: 'string' }, parse: { kind: 'auto' }, required: false, checks: [] }) as const;
  return { name: 's', format, columns: [column('id'), column('name')], key: [], drift: 'fail', ignore: [] };
}

function render(
  format: Format,
  given: readonly unknown[] | string,
): { readonly bytes: Buffer; readonly lines: readonly number[] } {
  const source = sourceOf(format);
  const rows =
    typeof given === 'string' ? [] : (readRows(given, { names: [], others: true }, '', createNotes('f')) ?? []);
  const file =
    typeof given === 'string'
      ? ({ kind: 'text', name: 'f', text: given } as const)
      : ({ kind: 'rows', name: 'f', rows } as const);
  const { bytes, lines } = renderSourceFile(source, file, format);
  return { bytes: Buffer.from(bytes), lines };
}

describe('rows as a file of their source', () => {
  test('CSV has every column of the contract, quotes what needs it, and null bare', () => {
    const { bytes, lines } = render(CSV, [
      { id: 1 },
      { id: 'a"b', name: 'x,y', more: '' },
      { name: 'two\nlines' },
      { id: ' 5' },
    ]);
    assert.equal(bytes.toString(), 'id,name,more\n1,,\n"a""b","x,y",""\n,"two\nlines",\n" 5",,\n');
    assert.deepEqual(lines, [2, 3, 4, 6]);
  });

  test('CSV of another dialect', () => {
    const format = { ...CSV, delimiter: ';', escape: '\\', header: false, nullText: ['\\N'] } as const;
    const { bytes, lines } = render(format, [
      { id: 'a;b', name: 'q"\\' },
      { id: null, name: '\\N' },
    ]);
    assert.equal(bytes.toString(), '"a;b";"q\\"\\\\"\n\\N;"\\\\N"\n');
    assert.deepEqual(lines, [1, 2]);
  });

  test('CSV without quotes is as it stands', () => {
    assert.equal(render({ ...CSV, quote: '', escape: '' }, [{ id: 'a"b' }]).bytes.toString(), 'id,name\na"b,\n');
  });

  test('CSV in other encodings', () => {
    assert.deepEqual(
      render({ ...CSV, encoding: 'latin-1', header: false }, [{ id: 'é' }]).bytes,
      Buffer.from([0xe9, 0x2c, 0x0a]),
    );
    const wide = render({ ...CSV, encoding: 'utf-16', header: false }, 'é');
    assert.deepEqual(wide.bytes, Buffer.from([0xff, 0xfe, 0xe9, 0x00]));
  });

  test('JSON has what a row names, numbers with their digits', () => {
    const rows = [{ id: 1n, tags: ['a', null] }, { at: { x: true } }];
    assert.equal(
      render({ kind: 'json', layout: 'lines' }, rows).bytes.toString(),
      '{"id":1,"tags":["a",null]}\n{"at":{"x":true}}\n',
    );
    const array = render({ kind: 'json', layout: 'array' }, rows);
    assert.deepEqual(JSON.parse(array.bytes.toString()), [{ id: 1, tags: ['a', null] }, { at: { x: true } }]);
    assert.deepEqual(array.lines, [1, 2]);
  });
});
