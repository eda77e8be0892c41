import { InvalidInput } from './errors.ts';

/** Which table: a pipeline, a layer and a name. Its database is `<pipeline>_<layer>`. */
export type TableId = {
  readonly pipeline: string;
  readonly layer: 'silver' | 'gold' | 'ops';
  readonly name: string;
};

/** The tables of one layer of a pipeline. */
export type Database = Pick<TableId, 'pipeline' | 'layer'>;

/** A table that a model has made which the pipeline no longer has, by its full name. No run touches it. */
export type RemovedTable = { readonly table: string; readonly rows: number; readonly bytes: number };

export function databaseOf(id: Database): string {
  return `${id.pipeline}_${id.layer}`;
}

/** `<pipeline>_<layer>.<name>`, the name that queries use. */
export function fullName(id: TableId): string {
  return `${databaseOf(id)}.${id.name}`;
}

/** Where a table lives in the store: `<layer>/<pipeline>/<name>`, without a trailing slash. */
export function tablePrefix(id: TableId): string {
  return `${id.layer}/${id.pipeline}/${id.name}`;
}

/** Parses `<pipeline>_<layer>.<name>`. Throws InvalidInput when the text is not such a name. */
export function parseTableName(text: string): TableId {
  const found = /^([a-z][a-z0-9_]*)_(silver|gold|ops)\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(text);
  const [, pipeline, layer, name] = found ?? [];
  if (pipeline === undefined || layer === undefined || name === undefined) {
    throw new InvalidInput(
      `not a table name: got ${JSON.stringify(text)}; expected <pipeline>_<silver|gold|ops>.<table>`,
    );
  }
  return { pipeline, layer: layer as TableId['layer'], name };
}
