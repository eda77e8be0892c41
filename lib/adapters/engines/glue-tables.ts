import { setTimeout as sleep } from 'node:timers/promises';
import type { GlueClient } from '@aws-sdk/client-glue';
import type { SqlEngine } from '../../core/sql-engine.ts';
import type { TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Clock } from '../../ports.ts';
import { awsFailure, sdkErrorOf } from '../aws/errors.ts';
import type { Patience } from '../catalog/glue-calls.ts';
import { metadataLocationOf, renderTableInput } from '../catalog/glue-table-input.ts';
import { openGlueTables } from '../catalog/glue-tables.ts';

export type GlueShown = Pick<SqlEngine<TableMetadata>, 'place' | 'show' | 'shown' | 'names' | 'hide'>;

export type GlueShownOptions = {
  readonly client: GlueClient;
  /** Before the names of all databases. */
  readonly databasePrefix: string;
  readonly pipeline: string;
  readonly wait?: (ms: number) => Promise<void>;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/** Tables that engines find in the Glue Data Catalog: in the pipeline's database of gold, whose tables they are to write. */
export function showInGlue(options: GlueShownOptions): GlueShown {
  const { client, databasePrefix, pipeline } = options;
  const patience: Patience = {
    wait: options.wait ?? sleep,
    clock: options.clock ?? { now: () => new Date() },
    random: options.random ?? Math.random,
  };
  const tables = openGlueTables(client, databasePrefix, patience);
  const database = `${databasePrefix}${pipeline}_gold`;
  const idOf = (name: string): TableId => ({ pipeline, layer: 'gold', name });
  return {
    place: [database],
    async show({ name, metadata, metadataLocation }) {
      try {
        await tables.create(idOf(name), renderTableInput(idOf(name), metadata, metadataLocation));
      } catch (cause) {
        if (sdkErrorOf(cause).name === 'AlreadyExistsException') return;
        throw awsFailure(tables.call('glue:CreateTable', idOf(name)), cause);
      }
    },
    async shown(name) {
      const table = await tables.find(idOf(name), true);
      return table && metadataLocationOf(table);
    },
    async names(prefix) {
      return (await tables.tablesIn(database)).flatMap(({ Name = '' }) => (Name.startsWith(prefix) ? [Name] : []));
    },
    async hide(names) {
      for (const name of names) await tables.remove(idOf(name));
    },
  };
}
