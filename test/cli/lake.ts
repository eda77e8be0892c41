import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, strataHere } from './child.ts';

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));

/** A folder with pipelines and a lake, and the command line on it, inside this process. */
export type CliLake = {
  readonly root: string;
  readonly pipelines: string;
  /** Another pipeline in the same folder. */
  add(pipeline: string, definition: string, sql?: Readonly<Record<string, string>>): void;
  run(...args: readonly string[]): Promise<Ended>;
  /** The document of a command that ends with the code; stdout must hold nothing else. */
  json<T>(code: number, ...args: readonly string[]): Promise<T>;
  /** Writes a file of rows and lands it. */
  land(pipeline: string, source: string, file: string, text: string): Promise<void>;
  close(): void;
};

/** `definition` is the source text of what `definePipeline` takes. */
export function openCliLake(pipeline: string, definition: string, sql: Readonly<Record<string, string>> = {}): CliLake {
  const folder = mkdtempSync(join(tmpdir(), 'strata-cli-'));
  const [root, pipelines] = [join(folder, 'lake'), join(folder, 'pipelines')];
  const add: CliLake['add'] = (name, defined, files = {}) => {
    mkdirSync(join(pipelines, name), { recursive: true });
    const source = `import * as define from ${JSON.stringify(DEFINE)};\nconst { append, csv, month, scd2, secret, upsert } = define;\nexport default define.definePipeline(${defined});\n`;
    writeFileSync(join(pipelines, name, 'pipeline.ts'), source);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(pipelines, name, file), text);
  };
  add(pipeline, definition, sql);
  const run = (...args: readonly string[]): Promise<Ended> =>
    strataHere([...args, '--root', root, '--pipelines', pipelines]);
  const lake: CliLake = {
    root,
    pipelines,
    add,
    run,
    async json<T>(code: number, ...args: readonly string[]) {
      const { stdout, stderr, ...ended } = await run(...args, '--json');
      if (ended.code !== code) throw new Error(`${args.join(' ')} ended with ${ended.code}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async land(pipelineName, sourceName, file, text) {
      writeFileSync(join(folder, file), text);
      await lake.json(0, 'land', pipelineName, sourceName, join(folder, file));
    },
    close: () => rmSync(folder, { recursive: true }),
  };
  return lake;
}
