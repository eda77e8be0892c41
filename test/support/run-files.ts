import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Tests that are started by a script of their own, since they need more than Node. */
export type FilesToRun = {
  readonly folder: string;
  /** Of which names, such as `aws` for `**\/*.aws.ts`. */
  readonly ending: string;
  /** Only files whose paths have one of these; none: all. */
  readonly parts: readonly string[];
  /** Files at once. */
  readonly concurrency: number;
};

const TEST_LIMIT = 600_000;

/** Runs them and prints what they say. The process ends with 1 when a test failed or none ran. */
export async function runFiles({ folder, ending, parts, concurrency }: FilesToRun): Promise<void> {
  const files = globSync(`**/*.${ending}.ts`, { cwd: folder })
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .map((file) => join(folder, file))
    .sort();
  let passed = 0;
  let failed = 0;
  const results = run({ files, concurrency, timeout: TEST_LIMIT });
  results.on('test:pass', ({ details, skip, todo, file, name }) => {
    // A file without tests passes under its own name.
    const ran = details.type !== 'suite' && skip === undefined && todo === undefined && name !== file;
    if (ran) passed += 1;
  });
  results.on('test:fail', () => {
    failed += 1;
  });
  for await (const text of results.compose(spec)) process.stdout.write(text);
  if (passed === 0)
    console.error(
      `no test ran: ${files.length} files in test/${basename(folder)} match ${parts.join(' ') || `*.${ending}.ts`}`,
    );
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
