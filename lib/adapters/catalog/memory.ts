import { isDeepStrictEqual } from 'node:util';
import { CommitConflict } from '../../core/errors.ts';
import { type Database, databaseOf, fullName, type TableId } from '../../core/tables.ts';
import type { Catalog, CatalogEntry } from '../../ports.ts';

/** A catalog in this process's memory, for tests; versions count up and go on counting after a drop. */
export function createMemoryCatalog(): Catalog {
  const tables = new Map<string, { readonly id: TableId; readonly entry: CatalogEntry }>();
  let commits = 0;

  return {
    async load(id) {
      return tables.get(fullName(id))?.entry;
    },
    async commit(id, base, next) {
      const name = fullName(id);
      const current = tables.get(name)?.entry;
      if (current !== undefined && isDeepStrictEqual(current.metadata, next)) return current;
      if (current?.version !== base?.version) {
        throw new CommitConflict(
          `${name} is at version ${current?.version ?? 'none'}, but the change was planned on ` +
            `${base?.version ?? 'no table'}; reload it and apply the change again`,
        );
      }
      commits += 1;
      const metadataLocation = `memory://${databaseOf(id)}/${id.name}/v${commits}.metadata.json`;
      const entry = { metadata: next, metadataLocation, version: String(commits) };
      tables.set(name, { id, entry });
      return entry;
    },
    async list(database?: Database, ignore: (name: string) => boolean = () => false) {
      const ids = [...tables.values()].map(({ id }) => id);
      return ids.filter(
        (id) => (database === undefined || databaseOf(id) === databaseOf(database)) && !ignore(id.name),
      );
    },
    async drop(id) {
      tables.delete(fullName(id));
    },
    async tombstone() {
      return undefined;
    },
  };
}
