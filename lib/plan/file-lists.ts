import { objectName } from '../core/objects.ts';
import type { LandedFile } from '../core/run.ts';
import type { ModelSpec, SilverModel } from '../core/spec.ts';

/** What a run takes of one source. */
export type SourceFiles = {
  readonly source: string;
  /** All files, each once. */
  readonly files: readonly LandedFile[];
  /** By model id, where the source's tables take different files: those of each that takes part, `undefined` for none. */
  readonly own?: ReadonlyMap<string, readonly LandedFile[] | undefined>;
};

type Reader = Pick<SilverModel, 'id' | 'from' | 'layer'>;

/**
 * What each source is read for, from the files that each model takes. Models that are not in `models` are no part of the
 * run; sources of which nobody takes part are left out.
 */
export function listFiles(
  {
    sources,
    models,
  }: { readonly sources: readonly { readonly name: string }[]; readonly models: readonly ModelSpec[] },
  taken: ReadonlyMap<string, readonly LandedFile[]>,
): readonly SourceFiles[] {
  return sources.flatMap(({ name: source }): readonly SourceFiles[] => {
    const readers = models.filter((model): model is SilverModel => model.layer === 'silver' && model.from === source);
    return listSource(source, readers, taken) ?? [];
  });
}

function listSource(
  source: string,
  readers: readonly Reader[],
  taken: ReadonlyMap<string, readonly LandedFile[]>,
): readonly SourceFiles[] | undefined {
  const own = new Map(readers.map(({ id }) => [id, taken.get(id)]));
  const lists = [...own.values()].flatMap((files) => (files === undefined ? [] : [files]));
  const [first] = lists;
  if (first === undefined) return undefined;
  const alike = lists.length === readers.length && new Set(lists.map((files) => JSON.stringify(files))).size === 1;
  return [alike ? { source, files: first } : { source, files: distinctFiles(lists), own }];
}

/** By name and content, in the order of their names; uploads of one name in the order in which they came. */
function distinctFiles(lists: readonly (readonly LandedFile[])[]): readonly LandedFile[] {
  const files = new Map(
    lists.flat().map(({ batch: _batch, place: _place, ...file }) => [`${file.etag} ${objectName(file)}`, file]),
  );
  return [...files.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
