import { z } from 'zod';
import { ROW_HASH } from '../../core/dedupe.ts';
import { InvalidInput } from '../../core/errors.ts';
import { IS_CURRENT, isKeyed, isKeyedMode, logModelId } from '../../core/keyed.ts';
import { renameMode } from '../../core/renamed-model.ts';
import { pendingRenames } from '../../core/renames.ts';
import type { ModelMode, ModelSpec, PipelineSpec, SilverModel } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { currentSchema, fieldByName } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { tableIdOf } from './table-state.ts';

/** The table property that says by which mode a table's rows are told apart. */
const MODE = 'strata.mode';

const MADE = z.object({
  kind: z.enum(['append', 'replace', 'full', 'upsert', 'scd2']),
  /** Of append: 'row', the key, or null. */
  dedupe: z.union([z.literal('row'), z.array(z.string()), z.null()]).optional(),
  /** Of keyed modes; absent where a table does not tell. */
  key: z.array(z.string()).optional(),
  sequence: z.string().optional(),
});
type Made = z.infer<typeof MADE>;

/** The properties by which a model's table remembers what made it. */
export function modeProperties(model: ModelSpec): Readonly<Record<string, string>> {
  return model.layer === 'gold' ? {} : { [MODE]: JSON.stringify(madeBy(model.mode)) };
}

function madeBy(mode: ModelMode): Made {
  if (isKeyedMode(mode)) return { kind: mode.kind, key: [...mode.key], sequence: mode.sequence };
  if (mode.kind !== 'append') return { kind: mode.kind };
  if (mode.dedupe === null) return { kind: 'append', dedupe: null };
  return { kind: 'append', dedupe: mode.dedupe.by === 'row' ? 'row' : [...mode.dedupe.columns] };
}

/** What made a table; a table without the property is judged by its columns and its log. */
function madeOf(table: TableMetadata, log: TableMetadata | undefined): Made {
  const text = table.properties[MODE];
  if (text !== undefined) return MADE.parse(JSON.parse(text));
  const schema = currentSchema(table);
  if (log === undefined) {
    return { kind: 'append', ...(fieldByName(schema, ROW_HASH) === undefined ? {} : { dedupe: 'row' as const }) };
  }
  const source = currentSpec(table).fields[0]?.['source-id'];
  const key = schema.fields.find((field) => field.id === source && !field.name.startsWith('_'));
  const kind = fieldByName(schema, IS_CURRENT) === undefined ? 'upsert' : 'scd2';
  return { kind, ...(key === undefined ? {} : { key: [key.name] }) };
}

type Tables = ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>;

/** A silver table that another mode made, in words, and the command that makes its rows anew. */
export type ModeConflict = { readonly model: string; readonly what: string; readonly cure: string };

/**
 * Silver tables that another mode made than their models have now, where new rows could not stand beside the old ones.
 * `rebuilt`: models whose tables are made anew from their logs, by the mode of now.
 */
export function findModeConflicts(
  spec: PipelineSpec,
  tables: Tables,
  rebuilt: readonly string[] = [],
): readonly ModeConflict[] {
  return spec.models.flatMap((model) => {
    const table = tables.get(model.id)?.metadata;
    if (model.layer !== 'silver' || table === undefined) return [];
    const made = madeOf(table, tables.get(logModelId(model))?.metadata);
    const names = currentSchema(table).fields.map(({ name }) => name);
    const then = { ...model, mode: renameMode(model.mode, pendingRenames(model.renamed ?? {}, names)) };
    return conflictOf(spec, then, made, rebuilt.includes(model.id)) ?? [];
  });
}

/** Throws InvalidInput with every one of them. */
export function checkModes(spec: PipelineSpec, tables: Tables, rebuilt: readonly string[]): void {
  const conflicts = findModeConflicts(spec, tables, rebuilt);
  if (conflicts.length === 0) return;
  const named = (id: string): string => {
    const model = spec.models.find((one) => one.id === id);
    return model === undefined ? id : fullName(tableIdOf(spec, model));
  };
  const lines = conflicts.map(({ model, what, cure }) => `  ${named(model)}: ${what}. ${cure}`);
  throw new InvalidInput([`tables of ${spec.name} were made by other modes; nothing was done:`, ...lines].join('\n'));
}

function conflictOf(spec: PipelineSpec, model: SilverModel, was: Made, rebuilt: boolean): ModeConflict | undefined {
  const is = madeBy(model.mode);
  const what = `got ${render(is)} in the pipeline; expected ${render(was)}, by which its rows were made`;
  const anew = {
    model: model.id,
    what,
    cure: `strata backfill ${spec.name} makes the table anew from all that has landed`,
  };
  const keyed = isKeyedMode({ kind: was.kind } as ModelMode);
  if (keyed !== isKeyed(model)) return anew;
  if (!keyed) return is.kind === 'append' && (is.dedupe === 'row') !== (was.dedupe === 'row') ? anew : undefined;
  const same = (a: unknown, b: unknown): boolean => a === undefined || JSON.stringify(a) === JSON.stringify(b);
  if (!same(was.key, is.key)) return anew;
  if (rebuilt || (was.kind === is.kind && same(was.sequence, is.sequence))) return undefined;
  const table = fullName(tableIdOf(spec, model));
  return { ...anew, cure: `strata rebuild ${table} makes all rows anew from its log, by the mode of now` };
}

function render({ kind, dedupe, key, sequence }: Made): string {
  const list = (names: readonly string[]): string =>
    names.length === 1 ? `'${names[0]}'` : `['${names.join("', '")}']`;
  const options = [
    ...(key === undefined ? [] : [`key: ${list(key)}`]),
    ...(sequence === undefined ? [] : [`sequence: '${sequence}'`]),
    ...(dedupe === undefined || dedupe === null
      ? []
      : [dedupe === 'row' ? "dedupe: 'row'" : `dedupe: { key: ${list(dedupe)} }`]),
  ];
  return `${kind}(${options.length === 0 ? '' : `{ ${options.join(', ')} }`})`;
}
