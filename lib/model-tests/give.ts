import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Given, GivenFile } from '../core/model-test.ts';
import { namesInFiles } from '../core/renames.ts';
import type { PipelineSpec, SourceSpec } from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openScratch } from '../lake/files/scratch.ts';
import { copyGiven, findMisfits } from '../sql/given-rows.ts';
import { giveTable } from './given-table.ts';
import type { LinesOfFiles } from './rejected.ts';
import { fileColumns, renderSourceFile, type SourceFile } from './source-file.ts';

/** Lands files and fills tables. Answers the lines of the rows in the files. */
export async function give(deps: StepDeps, spec: PipelineSpec, given: readonly Given[]): Promise<LinesOfFiles> {
  const lines = new Map<string, readonly number[]>();
  for (const one of given) {
    if (one.kind === 'table') {
      await giveTable(deps, spec, one.table, one);
      continue;
    }
    const source = spec.sources.find(({ name }) => name === one.source);
    if (source === undefined) throw new RangeError(`${spec.name} has no source ${one.source}`);
    for (const file of one.files) {
      const key = `bronze/${spec.name}/${source.name}/${file.name}`;
      const written = await renderFile(deps, source, file);
      await deps.store.write(key, written.bytes, { kind: 'any' });
      lines.set(key, written.lines);
    }
  }
  return lines;
}

async function renderFile(deps: StepDeps, source: SourceSpec, file: GivenFile): Promise<SourceFile> {
  const { format } = source;
  return format.kind === 'parquet' ? renderParquet(deps, source, file) : renderSourceFile(source, file, format);
}

/** A column has its contract's type; one with a value that is none of it has text, as a producer's file would. */
async function renderParquet(deps: StepDeps, source: SourceSpec, file: GivenFile): Promise<SourceFile> {
  const rows = file.kind === 'rows' ? file.rows : [];
  const bySource = new Map(source.columns.flatMap((column) => namesInFiles(column).map((name) => [name, column])));
  await using session = await deps.engine.open(deps.settings);
  await using scratch = await openScratch(deps, 'given');
  const path = join(scratch.folder, 'given.parquet');
  const text = { kind: 'string' } as const;
  const typed = fileColumns(source, rows).map((name): Column => {
    const known = bySource.get(name);
    return { name, type: known?.parse.kind === 'auto' ? known.type : text };
  });
  const found = await session.rows(findMisfits(typed, rows));
  const misfits = new Set(found.flatMap(({ misfits }) => (Array.isArray(misfits) ? misfits.map(Number) : [])));
  const columns = typed.map((column, i) => (misfits.has(i) ? { ...column, type: text } : column));
  await session.run(copyGiven(columns, rows, path));
  return { bytes: await readFile(path), lines: rows.map((_, nth) => nth + 1) };
}
