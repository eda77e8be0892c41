import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importDefault } from '../../lib/runtime/load-pipeline.ts';

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'strata-load-'));
after(() => rmSync(folder, { recursive: true }));

const CASES: readonly (readonly [what: string, text: string, where: string, message: RegExp, file?: string])[] = [
  ['text that ends too early', 'export default f({', ':1', /xpected/],
  [
    'what only the engine refuses',
    'const a: number = 1;\n  const a = 2;\n',
    ':2:9',
    /^Identifier 'a' has already been declared$/,
  ],
  ['the same without types', 'const x = ;\n', ':1:11', /^Unexpected token/, 'pipeline.js'],
  ['syntax that is more than types', 'const a: number = 1;\nenum X { A }\n', ':2:1', /enum is not supported/],
  ['a throw', 'const a = 1;\nthrow new Error("boom");\n', ':2:7', /^boom$/],
  ['a name that is nowhere', 'const a: number = 1;\nconst b = nowhere.x;\n', ':2:11', /^nowhere is not defined$/],
  ['a text that is thrown', '\nthrow "boom";\n', '', /^boom$/],
  ['a file that is not there', '\nimport { a } from "./none.ts";\n', ':2:19', /^Cannot find module/],
  ['a package that is not there', 'import a from "no-such.package";\n', ':1:15', /^Cannot find package/],
  ['an export that is not there', `import { nope } from ${JSON.stringify(DEFINE)};\n`, ':1:10', /named 'nope'$/],
  [
    'what our own code throws',
    `import { append } from ${JSON.stringify(DEFINE)};\nappend(null as never);\n`,
    ':2:1',
    /dedupe/,
  ],
];

describe('a file that cannot be loaded is named with line and column:', () => {
  for (const [n, [what, text, where, message, file = 'pipeline.ts']] of CASES.entries()) {
    test(what, async () => {
      const path = join(folder, `p${n}`, file);
      mkdirSync(join(folder, `p${n}`));
      writeFileSync(path, text);
      const error = await importDefault(path, 'it').then(
        () => assert.fail('it was loaded'),
        (cause: unknown) => (cause instanceof Error ? cause.message : ''),
      );
      const head = `it cannot be loaded: ${where === '' ? '' : `${relative(process.cwd(), path)}${where}: `}`;
      assert.ok(error.startsWith(head), error);
      assert.match(error.slice(head.length), message);
    });
  }

  test('also where it is another that a pipeline imports', async () => {
    const path = join(folder, 'shared', 'pipeline.ts');
    mkdirSync(join(folder, 'shared'));
    writeFileSync(path, 'import "../own.ts";\nexport default 1;\n');
    writeFileSync(join(folder, 'own.ts'), '\n\nthrow new Error("ours");\n');
    await assert.rejects(importDefault(path, 'it'), { message: /^it cannot be loaded: .*own\.ts:3:7: ours$/ });
  });
});
