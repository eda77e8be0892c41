import { createLocalSpark } from '../adapters/engines/spark/local.ts';
import { parseSpark } from '../adapters/engines/spark/session.ts';
import { createTrinoEngine, parseTrino } from '../adapters/engines/trino.ts';
import type { EngineName } from '../core/implementation.ts';
import { parseMetadata } from '../iceberg/json.ts';
import { commitAsAsked } from '../iceberg/rest-commit.ts';
import type { StepDeps, TableEngine } from '../lake/deps.ts';
import { sparkScript } from '../package-files.ts';
import type { ObjectStore } from '../ports.ts';

/** On one machine a Trino speaks for Athena, whose words are Trino's, where STRATA_TRINO names one, and a Spark of STRATA_SPARK for EMR. */
export function localEngines(
  { STRATA_TRINO: trino = '', STRATA_SPARK: spark = '' }: Readonly<Record<string, string | undefined>>,
  store: ObjectStore,
): Pick<StepDeps, 'sqlEngine'> {
  const engines: Partial<Record<EngineName, TableEngine>> = {
    ...(trino !== '' && { athena: createTrinoEngine(parseTrino(trino)) }),
    ...(spark !== '' && { spark: localSpark(spark, store) }),
  };
  return Object.keys(engines).length === 0 ? {} : { sqlEngine: (name) => engines[name] };
}

function localSpark(text: string, store: ObjectStore): TableEngine {
  return createLocalSpark({
    command: parseSpark(text, sparkScript()),
    store,
    commit: (metadata, request, location) =>
      commitAsAsked(parseMetadata(metadata, location), request, { location, nowMs: Date.now() }),
  });
}
