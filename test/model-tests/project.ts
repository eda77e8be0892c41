import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, strataHere } from '../cli/child.ts';

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));

/** What `strata test --json` answers, as far as tests look at it. */
export type Document = {
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly {
    readonly model: string;
    readonly test: string;
    readonly status: string;
    readonly differences: readonly Readonly<Record<string, unknown>>[];
  }[];
};

/** A folder of pipelines for `strata test`. */
export type Project = {
  readonly pipelines: string;
  write(path: string, text: string): void;
  test(...args: readonly string[]): Promise<Ended>;
  /** The document of `strata test`, which must end with the code. */
  document(code: number, ...args: readonly string[]): Promise<Document>;
  close(): void;
};

/** `definition` is the source text of what `definePipeline` takes. */
export function openProject(pipeline: string, definition: string, sql: Readonly<Record<string, string>>): Project {
  const pipelines = mkdtempSync(join(tmpdir(), 'strata-model-tests-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(pipelines, path)), { recursive: true });
    writeFileSync(join(pipelines, path), text);
  };
  const names = 'append, csv, full, json, month, parquet, replace, rowCount, scd2, unique, upsert, identity';
  write(
    `${pipeline}/pipeline.ts`,
    `import * as define from ${JSON.stringify(DEFINE)};\nconst { ${names} } = define;\nexport default define.definePipeline(${definition});\n`,
  );
  for (const [path, text] of Object.entries(sql)) write(`${pipeline}/${path}`, text);
  const run = (...args: readonly string[]): Promise<Ended> => strataHere(['test', ...args, '--pipelines', pipelines]);
  return {
    pipelines,
    write,
    test: run,
    async document(code, ...args) {
      const { stdout, stderr, ...ended } = await run(...args, '--json');
      if (ended.code !== code) throw new Error(`ended with ${ended.code}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as Document;
    },
    close: () => rmSync(pipelines, { recursive: true }),
  };
}
