import type { Computing, Implementation, Implementations } from '../../core/implementation.ts';
import { modelId, type OtherTable, type TableRef } from '../../core/spec.ts';
import { type Column, renderColumnType } from '../../core/types.ts';
import { bindColumns } from '../bind.ts';
import type { Binding } from '../conditions.ts';
import type { BoundModel, ParsedModel, ParsedText } from '../draft.ts';
import { type Notes, showValue } from '../notes.ts';

/** What any text of a model reads. */
export function readsOf({ reads, texts = [] }: ParsedModel): readonly TableRef[] {
  return unique([...reads, ...texts.flatMap(({ parsed }) => parsed?.reads ?? [])]);
}

/** Tables of other pipelines that any text of a model reads. */
export function othersOf({ others, texts = [] }: ParsedModel): readonly OtherTable[] {
  return unique([...others, ...texts.flatMap(({ parsed }) => parsed?.others ?? [])]);
}

function unique<Ref extends TableRef>(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.map((ref) => [modelId(ref), ref])).values()];
}

/** Binds the other texts of a bound model, which must have the model's columns; `undefined` when a problem was noted. */
export async function bindTexts(
  binding: Binding,
  model: BoundModel,
  read: readonly Column[],
): Promise<BoundModel | undefined> {
  const { parsed } = model;
  if (parsed.texts === undefined) return model;
  const texts = new Map<string, BoundModel>();
  const before = binding.notes.found.length;
  for (const text of parsed.texts) {
    if (text.parsed === undefined) continue;
    const same = text.parsed.draft.sqlFile === parsed.draft.sqlFile;
    const one = same ? { ...model, parsed: text.parsed } : await bindColumns(binding, text.parsed, undefined, read);
    if (one === undefined) continue;
    texts.set(text.name, one);
    noteOtherColumns(one, model, text, binding.notes.inFile(text.parsed.file));
  }
  return binding.notes.found.length === before ? { ...model, texts } : undefined;
}

/** Readers and the table's own columns must not depend on which of the texts is published. */
function noteOtherColumns({ columns }: BoundModel, model: BoundModel, { name }: ParsedText, notes: Notes): void {
  const { id, texts, sqlFile } = model.parsed.draft;
  const as = `as ${id} has it by ${texts?.use} (${sqlFile})`;
  for (let at = 0; at < Math.max(columns.length, model.columns.length); at++) {
    const [got, expected] = [columns[at], model.columns[at]];
    if (got?.name !== expected?.name) {
      const wanted = expected === undefined ? `no column ${at + 1}` : `${showValue(expected.name)}`;
      notes.add(
        `column ${at + 1}`,
        got === undefined ? `no column in ${name}` : `${showValue(got.name)} in ${name}`,
        `${wanted}, ${as}`,
      );
      return;
    }
    if (got === undefined || expected === undefined) continue;
    const [is, should] = [renderColumnType(got.type), renderColumnType(expected.type)];
    if (is !== should) notes.add(`column ${showValue(got.name)}`, `${is} in ${name}`, `${should}, ${as}`);
  }
}

/** The texts of a model, each with what it decides; `undefined` where it has one text alone, or when a problem was noted. */
export async function implementationsOf(
  { parsed, texts: bound }: BoundModel,
  computing: (one: BoundModel) => Promise<Computing | undefined>,
): Promise<Implementations | undefined> {
  if (parsed.texts === undefined || parsed.draft.texts === undefined || bound === undefined) return undefined;
  const decided = new Map<string, Computing>();
  for (const [name, one] of bound) {
    const found = await computing(one);
    if (found !== undefined) decided.set(name, found);
  }
  const [first] = decided.values();
  const texts = parsed.texts.flatMap(({ name, engine, sql, file }): readonly Implementation[] => {
    if (engine === undefined) {
      const own = decided.get(name);
      return own === undefined ? [] : [{ name, ...own }];
    }
    return first === undefined ? [] : [{ name, engine, ...first, sql, sqlFile: file }];
  });
  return { use: parsed.draft.texts.use, texts };
}
