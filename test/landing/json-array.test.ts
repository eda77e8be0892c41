import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ArrayScan, createArrayScanner, DEEPEST_JSON } from '../../lib/landing/json-array.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_104);
const RUNS = 3_000 * Number(process.env['FUZZ'] ?? 1);

type Scanned = { readonly scan: ArrayScan; readonly lines: readonly string[] };

function scan(json: string | Uint8Array, chunk = 1_000_000): Scanned {
  const bytes = Buffer.from(json as string);
  const scanner = createArrayScanner();
  const copied: Buffer[] = [];
  // The scanner reuses nothing of a chunk, but may not look at it again either.
  for (let at = 0; at < bytes.length; at += chunk)
    copied.push(Buffer.from(scanner.push(bytes.subarray(at, at + chunk))));
  const lines = Buffer.concat(copied).toString('latin1').split('\n').slice(0, -1);
  return { scan: scanner.end(), lines: lines.map((line) => line.replaceAll('\x1e', '\n').replaceAll('\x1d', '\r')) };
}

/** Elements as they stand in the file. */
const ARRAYS: Readonly<Record<string, readonly string[]>> = {
  '[]': [],
  ' \r\n\t[ \n] \n': [],
  '[1]': ['1'],
  '[ 0 , -0 ,-1.5e+3,1E5,2e-7,0.10 ]': ['0', '-0', '-1.5e+3', '1E5', '2e-7', '0.10'],
  '[true,false,null]': ['true', 'false', 'null'],
  '["", "a,]}[{", "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\udd1e", "\\ud800"]': [
    ...['""', '"a,]}[{"', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\udd1e"', '"\\ud800"'],
  ],
  '[{},[],{"a":{}},[[]],[{"a":[1,{"b":2}]}]]': ['{}', '[]', '{"a":{}}', '[[]]', '[{"a":[1,{"b":2}]}]'],
  '[\n  {\n    "a" : 1 ,\r\n    "b":[ 1 , 2 ]\n  }\n,\n\t{"a":1,"a":2}\n]\n': [
    '{\n    "a" : 1 ,\r\n    "b":[ 1 , 2 ]\n  }',
    '{"a":1,"a":2}',
  ],
  '[{"":0,"\x7f":1}]': ['{"":0,"\x7f":1}'],
};

/** What is none, and what the reason has to say. */
const BROKEN: Readonly<Record<string, RegExp>> = {
  '': /line 1: got the end of the file; expected an array/,
  ' \n': /line 2: got the end of the file/,
  '{"a":1}': /line 1: got '\{'; expected an array/,
  '1': /got '1'; expected an array/,
  '[': /line 1, element 1: got the end of the file; expected a value or \]/,
  '[1': /element 1: got the end of the file/,
  '[1,\n': /line 2, element 2: got the end of the file; expected a value/,
  '[1,]': /element 2: got '\]'; expected a value/,
  '[{"a":1},\r\n{"a":2},\r]': /line 3, element 3: got '\]'/,
  '[,1]': /got ','; expected a value or \]/,
  '[1,,2]': /got ','; expected a value/,
  '[1 2]': /got '2'; expected a comma or \]/,
  '[1}': /got '\}'; expected a comma or \]|got '\}'/,
  '[{]': /got '\]'; expected a key in double quotes or \}/,
  '[{"a"}]': /got '\}'; expected a colon/,
  '[{"a":}]': /got '\}'; expected a value/,
  '[{"a":1,}]': /got '\}'; expected a key/,
  '[{"a":1]': /got '\]'/,
  '[{"a":1"b":2}]': /got '"'/,
  '[{a:1}]': /got 'a'; expected a key in double quotes/,
  "[{'a':1}]": /got '''; expected a key/,
  "['a']": /got '''; expected a value/,
  '[{1:1}]': /got '1'; expected a key/,
  '[1] x': /got 'x'; expected nothing after the array/,
  '[1][2]': /got '\['; expected nothing/,
  '[1]]': /got '\]'; expected nothing/,
  '[1],': /got ','; expected nothing/,
  '[01]': /got '1'/,
  '[-01]': /got '1'/,
  '[1.]': /got '\]'; expected the rest of a number/,
  '[.5]': /got '\.'/,
  '[+1]': /got '\+'/,
  '[-]': /got '\]'/,
  '[--1]': /got '-'/,
  '[1e]': /got '\]'/,
  '[1e+]': /got '\]'/,
  '[1e1.5]': /got '\.'/,
  '[0x1]': /got 'x'/,
  '[1_0]': /got '_'/,
  '[1a]': /got 'a'/,
  '[NaN]': /got 'N'/,
  '[nan]': /got 'a'/,
  '[Infinity]': /got 'I'/,
  '[-Infinity]': /got 'I'/,
  '[True]': /got 'T'/,
  '[nul]': /got '\]'; expected the rest/,
  '[truex]': /got 'x'; expected a comma or \]/,
  '[undefined]': /got 'u'/,
  '["a]': /got the end of the file; expected a string/,
  '["a\nb"]': /got byte 10; expected a string without control characters/,
  '["a\tb"]': /got byte 9/,
  '["a\0b"]': /got byte 0/,
  '["\\x41"]': /got 'x'; expected one of/,
  '["\\u00g0"]': /got 'g'; expected four hexadecimal digits/,
  '["\\u12"]': /got '"'/,
  '["\\': /got the end of the file; expected one of/,
  '[1]/*x*/': /got '\/'/,
  '[1 //x\n]': /got '\/'/,
  '[#\n1]': /got '#'/,
  '[\u00a01]': /got byte 194/,
  '[\f1]': /got byte 12/,
  '\ufeff[1]': /got byte 239; expected an array/,
  '[é]': /got byte 195/,
  '[\0]': /got byte 0/,
};

for (const [json, elements] of Object.entries(ARRAYS)) {
  test(`${JSON.stringify(json)} is an array of ${elements.length}`, () => {
    const longest = Math.max(0, ...elements.map((e) => e.length));
    for (const chunk of [1, 2, 3, 7, 1_000]) {
      assert.deepEqual(scan(json, chunk), {
        scan: { kind: 'array', elements: elements.length, longest },
        lines: elements,
      });
    }
  });
}

for (const [json, reason] of Object.entries(BROKEN)) {
  test(`${JSON.stringify(json)} is none`, () => {
    for (const chunk of [1, 2, 3, 1_000]) {
      const found = scan(json, chunk).scan;
      assert.equal(found.kind, 'damaged');
      assert.match(found.kind === 'damaged' ? found.reason : '', reason);
    }
  });
}

test('no beginning of an array is one', () => {
  const whole = '[\n  {"id": 1, "a": [true, null]},\n  {"id": -2.5e1, "b": "x\\u00e9"},\n  [ ],\n  "s"\n]';
  assert.equal(scan(whole).scan.kind, 'array');
  for (let end = 0; end < whole.length; end += 1)
    assert.equal(scan(whole.slice(0, end)).scan.kind, 'damaged', `${end}`);
});

test('as deep as allowed, and deeper', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.deepEqual(scan(nested(DEEPEST_JSON)).scan, { kind: 'array', elements: 1, longest: 2 * (DEEPEST_JSON - 1) });
  for (const json of [nested(DEEPEST_JSON + 1), '['.repeat(100_000), '[{"":'.repeat(50_000)]) {
    const found = scan(json).scan;
    assert.match(found.kind === 'damaged' ? found.reason : '', /more than 1000 arrays and objects inside one another/);
  }
});

test('bytes inside strings are left as they are, UTF-8 or not', () => {
  const bytes = Buffer.concat([Buffer.from('["é€😀", "'), Buffer.from([0xff, 0xc3]), Buffer.from('"]')]);
  const found = scan(bytes, 1);
  assert.equal(found.scan.kind, 'array');
  assert.deepEqual(found.lines, [Buffer.from('"é€😀"').toString('latin1'), '"\xff\xc3"']);
});

test('what JSON.parse takes for an array is one, and nothing else', () => {
  const piece = fc.constantFrom(
    ...[
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '"a"',
      '"k":',
      '1',
      '0',
      '-',
      '.5',
      'e2',
      'true',
      'null',
      ' ',
      '\n',
      '\r',
      '\\',
    ],
    ...['\\n', '\\u0041', '{"a":1}', '[1,2]', '\t', 'NaN', '/', '\u0001', 'é'],
  );
  const soup = fc.array(piece, { maxLength: 12 }).map((parts) => `[${parts.join('')}]`);
  const damaged = fc
    .tuple(
      fc.array(fc.json({ maxDepth: 3 })),
      fc.nat(),
      fc.constantFrom('', ',', ']', '"', ' ', '0', '\\', '}'),
      fc.nat(2),
    )
    .map(([values, place, extra, cut]) => {
      const text = `[${values.join(' ,\n')}]`;
      const at = place % (text.length + 1);
      return text.slice(0, at) + extra + text.slice(at + cut);
    });
  fc.assert(
    fc.property(fc.oneof(soup, damaged), fc.integer({ min: 1, max: 9 }), (text, chunk) => {
      const expected = parseArray(text);
      const { scan: found, lines } = scan(text, chunk);
      assert.equal(found.kind, expected === undefined ? 'damaged' : 'array', JSON.stringify(text));
      if (expected === undefined) return;
      const values = lines.map((line): unknown => JSON.parse(Buffer.from(line, 'latin1').toString()));
      assert.deepEqual(values, expected);
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

function parseArray(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
