import type { AppendMode, PipelineSpec, SilverModel } from '../core/spec.ts';

/** A table that is begun: SQL that compiles as it is, and how pipeline.ts declares it. */
export type ModelDraft = { readonly sql: string; readonly declaration: string };

export function draftGold({ models }: PipelineSpec, name: string): ModelDraft {
  const input = models.find((model) => model.layer === 'silver') ?? models[0];
  const from = input === undefined ? '' : `\nFROM ${input.layer}.${input.name}`;
  return {
    sql: `-- What one row stands for.\nSELECT count(*) AS row_count${from}\n`,
    declaration: `${name}: { sql: 'gold/${name}.sql' },`,
  };
}

/** From a source that has no silver table yet, else from the first one, whose duplicates all its tables count alike. */
export function draftSilver({ sources, models }: PipelineSpec, name: string): ModelDraft {
  const silver = models.filter((model) => model.layer === 'silver');
  const tables = (source: string): readonly SilverModel[] => silver.filter((model) => model.from === source);
  const source = (sources.find((one) => tables(one.name).length === 0) ?? sources[0])?.name ?? '';
  const mode = tables(source)
    .map((model) => model.mode)
    .find((one) => one.kind === 'append');
  return {
    sql: `-- A row-wise map: one row for each accepted row of the source.\nSELECT *\nFROM batch.${source}\n`,
    declaration: `${name}: { from: '${source}', sql: 'silver/${name}.sql'${modeText(mode)} },`,
  };
}

function modeText(mode: AppendMode | undefined): string {
  if (mode === undefined || mode.dedupe === null) return '';
  const columns = mode.dedupe.by === 'row' ? [] : mode.dedupe.columns.map((column) => `'${column}'`);
  const key = columns.length === 1 ? columns[0] : `[${columns.join(', ')}]`;
  const dedupe = mode.dedupe.by === 'row' ? "'row'" : `{ key: ${key} }`;
  const onDuplicate = mode.onDuplicate === 'condemn' ? ", onDuplicate: 'condemn'" : '';
  return `, mode: append({ dedupe: ${dedupe}${onDuplicate} })`;
}
