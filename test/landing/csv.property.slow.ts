import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CastingContext, parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { type ParsedFile, parseFiles, textSource } from './parse-stage.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
/** FUZZ=20 looks at twenty times as many files. */
const FILES = 250 * Number(process.env['FUZZ'] ?? 1);

/** Text of fields, quotes and line breaks, most of it not quite CSV. */
function texts(lineBreaks: readonly string[]): readonly string[] {
  const token = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(',', '"', 'x', 'yz', '""', '"a"', '"b,c"') },
    { weight: 2, arbitrary: fc.constantFrom(...lineBreaks) },
    { weight: 1, arbitrary: fc.constantFrom(' ', 'é', '"d\ne"', '"f""g"', '\\') },
  );
  const text = fc.array(token, { minLength: 1, maxLength: 24 }).map((tokens) => tokens.join(''));
  return fc.sample(text, { numRuns: FILES, seed: SEED });
}

const BREAKS: Readonly<Record<string, readonly string[]>> = { LF: ['\n'], CRLF: ['\r\n'], mixed: ['\n', '\r\n', '\r'] };

for (const [name, breaks] of Object.entries(BREAKS)) {
  for (const columns of [1, 2, 3]) {
    for (const header of [false, true]) {
      test(`${name}, ${columns} columns, ${header ? 'with' : 'without'} header: every record has one fate`, async () => {
        const names = ['a', 'b', 'c'].slice(0, columns).join(',') + breaks[0];
        const contents = texts(breaks).map((text) => (header ? names + text : text));
        const files = await parseFiles(textSource(columns, { header }), contents);
        let compared = 0;
        for (const [i, file] of files.entries()) {
          const content = contents[i] ?? '';
          if (file.broken !== undefined) {
            // Only where the other parser does not take it for CSV either.
            assert.equal(parseStrictly(content, columns), undefined, `${file.broken}: ${JSON.stringify(content)}`);
            continue;
          }
          checkFates(file, content);
          compared += compareWithParser(file, content, columns, header) ? 1 : 0;
        }
        assert.ok(compared > FILES / 20, `only ${compared} files were compared with the other parser`);
      });
    }
  }
}

function checkFates(file: ParsedFile, content: string): void {
  const shown = JSON.stringify(content);
  assert.equal(file.rejected, undefined, shown);
  assert.equal(file.rows.length + file.refused.length, file.records, `records of ${shown}`);
  const lines = content.split(/\r\n|\n|\r/);
  for (const { line, raw } of file.refused) {
    // Of a record with several broken quotes DuckDB keeps the last part, which may begin on a later line.
    const first = raw.split(/\r\n|\n|\r/)[0] ?? '';
    assert.ok(
      lines.slice(line - 1).some((text) => text.includes(first)),
      `line ${line} of ${shown} is not ${JSON.stringify(raw)}`,
    );
    if (!isBroken(lines[line - 1] ?? '')) assert.equal(lines[line - 1], first, `line ${line} of ${shown}`);
  }
}

/** Whether a line has a quote that a reader may trip over. */
function isBroken(line: string): boolean {
  return /[^,]"|"[^,]/.test(line);
}

/** Whether csv-parse takes the text for CSV too; then it must find the same rows. */
function compareWithParser(file: ParsedFile, content: string, columns: number, header: boolean): boolean {
  // DuckDB passes over spaces around quotes; RFC 4180 has no such thing.
  if (/ "|" /.test(content)) return false;
  const records = parseStrictly(content, columns);
  if (records === undefined) return false;
  const data = header ? records.slice(1) : records;
  // Empty fields beyond the last column are nothing.
  const fits = data.map((fields) =>
    fields.slice(columns).every((field) => field === null) ? fields.slice(0, columns) : fields,
  );
  const rows = fits.filter((fields) => fields.length === columns);
  assert.deepEqual(file.rows, rows, JSON.stringify(content));
  assert.equal(file.refused.length, data.length - rows.length);
  return true;
}

function parseStrictly(content: string, columns: number): (string | null)[][] | undefined {
  try {
    return parse(content, {
      relax_column_count: true,
      skip_empty_lines: columns > 1,
      record_delimiter: ['\r\n', '\n', '\r'],
      cast: (value: string, context: CastingContext) => (value === '' && !context.quoting ? null : value),
    }) as (string | null)[][];
  } catch {
    return undefined;
  }
}

test('the lines of refused records in a file of many buffers', { timeout: 120_000 }, async () => {
  const lines: string[] = [];
  const expected: number[] = [];
  let line = 1;
  for (let i = 0; line < 900_000; i += 1) {
    if (i % 9973 === 0) {
      lines.push('too,few');
      expected.push(line);
    } else if (i % 101 === 0) {
      lines.push('', `"quoted\n${i}",b,c`);
      line += 2;
    } else lines.push(`value number ${i},some more text for it,and a third`);
    line += 1;
  }
  const [file] = await parseFiles(textSource(3, {}), [lines.join('\n')]);
  assert.equal(file?.broken, undefined);
  assert.deepEqual(
    file?.refused.map((row) => row.line),
    expected,
  );
  assert.equal(file?.rows.length, (file?.records ?? 0) - expected.length);
});
