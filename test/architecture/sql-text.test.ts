import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { test } from 'node:test';

/**
 * The compiler lets nothing but `Sql` reach the engine. These tests hold what the compiler cannot see: that `Sql` is made
 * in lib/sql alone, and that what users and the engine wrote becomes `Sql` where it is known to.
 */
const ROOT = new URL('../..', import.meta.url).pathname;
const FILES = globSync('{lib,lambdas,bin}/**/*.ts', { cwd: ROOT }).map((file) => file.split(sep).join('/'));
const CODE = new Map(
  FILES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')]),
);
const OUTSIDE = FILES.filter((file) => !file.startsWith('lib/sql/'));

/** Lines of code that a pattern is found in, as `file: line`. */
function linesWith(files: readonly string[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) =>
    (CODE.get(file) ?? '')
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

test('SQL is written in lib/sql alone: nothing else has its template', () => {
  assert.deepEqual(linesWith(OUTSIDE, /sql\/fragment\.ts'|(?<!\.)\bsql`/), []);
});

test('a string is called SQL in three files, which say when it is', () => {
  const casts = linesWith(FILES, /\bas (Sql|SqlName|SqlLiteral|Statement|CopyStatement)\b/);
  const files = [...new Set(casts.map((line) => line.split(':')[0] ?? ''))];
  assert.deepEqual(files.sort(), ['lib/sql/fragment.ts', 'lib/sql/quote.ts', 'lib/sql/user-sql.ts']);
});

test('what a user or the engine wrote becomes SQL in files that are known to let it', () => {
  const calls = linesWith(OUTSIDE, /\b(userSql|userTerm|engineSql)\(/);
  assert.deepEqual([...new Set(calls.map((line) => line.split(':')[0] ?? ''))].sort(), [
    'lib/compile/bind.ts',
    'lib/compile/table-checks.ts',
    'lib/compile/touched.ts',
    'lib/lake/ladder/find-rung.ts',
    'lib/lake/ladder/find-split.ts',
    'lib/lake/tables/touched.ts',
    'lib/query/select.ts',
    'lib/query/trace-origins.ts',
    'lib/steps/merge/ladder/combine-gold.ts',
    'lib/steps/shadow/stage-shadow.ts',
    'lib/steps/stage/evolved-gold.ts',
    'lib/steps/stage/guarded-model.ts',
    'lib/steps/stage/map-batch.ts',
    'lib/steps/stage/reject-rows.ts',
    'lib/steps/stage/stage-gold.ts',
    'lib/steps/stage/try-joined.ts',
  ]);
});

/** What people read: hints and examples of the command line, outputs of a stack, messages. */
const SHOWN = /^lib\/(cli|infra|define)\//;
const STATEMENT =
  /['"`]\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COPY|ATTACH|PRAGMA|SET|DESCRIBE|EXPLAIN|INSTALL|LOAD|FROM|CALL|CAST)\b[ (](?!JOIN|statements)/;

test('no text outside lib/sql begins as a statement does', () => {
  const code = OUTSIDE.filter((file) => !SHOWN.test(file));
  assert.deepEqual(linesWith(code, STATEMENT), []);
});
