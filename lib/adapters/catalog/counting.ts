import type { Call } from '../../core/requests.ts';
import type { Catalog } from '../../ports.ts';

/**
 * A catalog that notes what its calls cost on S3 where it is Glue's: who loads a table reads its metadata file, who
 * commits writes one. What Glue itself is asked for is not counted.
 */
export function countingCatalog(catalog: Catalog, note: (call: Call) => void): Catalog {
  return {
    ...catalog,
    async load(id) {
      const entry = await catalog.load(id);
      note({ kind: 'load', found: entry !== undefined });
      return entry;
    },
    commit(id, base, next) {
      note({ kind: 'commit' });
      return catalog.commit(id, base, next);
    },
  };
}
