import { type Diagnosis, partitionsOf, withoutPersonal } from '../../core/diagnosis.ts';
import { LOG_SUFFIX } from '../../core/keyed.ts';
import { MASK } from '../../core/personal.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { currentSpec, specById } from '../../iceberg/partition.ts';
import { partitionPath } from '../../iceberg/partition-path.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { IcebergValue, TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openTable, visibleColumns } from '../../lake/tables/table-state.ts';
import { DIAGNOSED } from '../../sql/diagnosis/rows.ts';
import { planFiles } from '../../table/read.ts';
import type { QueryDeps } from '../deps.ts';
import type { FoundTable } from '../find-table.ts';
import { maskedColumns } from '../masked-columns.ts';
import { dayOfModel, firstDay, keysOfModel } from './key-columns.ts';
import { measureRows } from './measure-rows.ts';

/** Buckets of a key that no table is cut by. */
export const USUAL_BUCKETS = 16;

type Deps = Pick<StepDeps, 'clock'> & QueryDeps;

/** Diagnoses a table as it is; `spec` is its pipeline's, where there is one. Reads all of it. */
export async function diagnoseTable(deps: Deps, { id, metadata }: FoundTable, spec?: PipelineSpec): Promise<Diagnosis> {
  const files = await planFiles(deps.store, metadata);
  const columns = visibleColumns(metadata);
  const model = spec === undefined ? undefined : modelOf(spec, id);
  await using session = await deps.engine.open(deps.settings);
  await using _table = await openTable(deps.store, session, DIAGNOSED, metadata, columns);
  const measured = await measureRows(session, {
    columns,
    keys: model === undefined ? [] : keysOfModel(model),
    day: model === undefined ? firstDay([], columns) : dayOfModel(model),
    buckets: bucketsOf(metadata),
    personal: maskedColumns(metadata),
    shown: deps.hidesPersonal !== true,
  });
  const nameOf = partitionNames(metadata);
  const diagnosis: Diagnosis = {
    name: fullName(id),
    kind: 'table',
    at: deps.clock.now().toISOString(),
    ...measured,
    rejected: 0,
    unreadable: 0,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + Number(file.bytes), 0),
    partitions: partitionsOf(
      files.map(({ specId, partition, bytes }) => ({
        partition: nameOf(specId, partition),
        bytes: Number(bytes),
      })),
    ),
  };
  return deps.hidesPersonal === true ? withoutPersonal(diagnosis) : diagnosis;
}

/** A diagnosis is recorded, so that no partition says a personal value, whoever asks. A bucket is none. */
function partitionNames(metadata: TableMetadata): (specId: number, partition: readonly IcebergValue[]) => string {
  const schema = currentSchema(metadata);
  const masked = new Set(maskedColumns(metadata).map(({ name }) => name));
  const hidden = new Set(schema.fields.filter(({ name }) => masked.has(name)).map(({ id }) => id));
  return (specId, partition) => {
    const spec = specById(metadata, specId);
    const parts = partitionPath(spec, schema, partition).split('/');
    const shown = parts.map((part, at) => {
      const field = spec.fields[at];
      const says = field !== undefined && hidden.has(field['source-id']) && !field.transform.startsWith('bucket');
      return says ? `${part.slice(0, part.indexOf('=') + 1)}${MASK}` : part;
    });
    return shown.join('/');
  };
}

/** The model of a table, or of the table whose log it is. */
export function modelOf(spec: PipelineSpec, { layer, name }: TableId): ModelSpec | undefined {
  const own = name.endsWith(LOG_SUFFIX) ? name.slice(0, -LOG_SUFFIX.length) : name;
  return spec.models.find((model) => model.layer === layer && model.name === own);
}

function bucketsOf(metadata: TableMetadata): number {
  const [width] = currentSpec(metadata).fields.flatMap(
    ({ transform }) => /^bucket\[(\d+)\]$/.exec(transform)?.[1] ?? [],
  );
  return width === undefined ? USUAL_BUCKETS : Number(width);
}
