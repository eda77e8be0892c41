import { createHash } from 'node:crypto';
import { isKeyed, isKeyedMode } from '../core/keyed.ts';
import type { MadeBy } from '../core/made-by.ts';
import { RELEASE } from '../core/release.ts';
import type { Expectation, ModelMode, ModelSpec, PipelineSpec } from '../core/spec.ts';
import { renderColumnType } from '../core/types.ts';

/** What makes a model's table as the pipeline is now. */
export function madeBy(spec: Pick<PipelineSpec, 'sources'>, model: ModelSpec): MadeBy {
  const source = model.layer === 'silver' ? spec.sources.find(({ name }) => name === model.from) : undefined;
  const { key, ...mode } = model.layer === 'silver' ? keyApart(model.mode) : { key: null };
  return {
    release: RELEASE,
    columns: hash(model.columns),
    sql: hash(model.sql),
    written: hash((model.layer === 'silver' ? model.written : undefined) ?? model.sql),
    mode: hash(mode),
    key: hash(key),
    keyed: isKeyed(model),
    partitioning: hash(model.partitionBy),
    contract:
      source === undefined
        ? null
        : Object.fromEntries(
            source.columns.map(({ name, type, ...rest }) => [name, { type: renderColumnType(type), rest: hash(rest) }]),
          ),
    format: source === undefined ? null : hash([source.format, source.key]),
    rules: hash(model.expect.filter(rejects)),
    checks: Object.fromEntries(model.expect.filter((one) => !rejects(one)).map((one) => [one.name, hashCheck(one)])),
  };
}

function rejects({ kind, policy }: Expectation): boolean {
  return kind === 'row' && policy === 'drop';
}

/** The code of a row that is not rejected is nowhere. */
function hashCheck(expectation: Expectation): string {
  return hash(expectation.kind === 'row' ? { ...expectation, code: null } : expectation);
}

/** The columns by which a mode tells rows apart, and what else it says. */
function keyApart(mode: ModelMode): { readonly key: unknown } & Record<string, unknown> {
  if (isKeyedMode(mode)) {
    const { key, ...rest } = mode;
    return { key, ...rest };
  }
  if (mode.kind !== 'append') return { key: null, ...mode };
  const { dedupe, ...rest } = mode;
  return { key: dedupe, ...rest };
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
