import { AthenaClient } from '@aws-sdk/client-athena';
import { GlueClient } from '@aws-sdk/client-glue';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAthenaEngine } from '../../adapters/engines/athena.ts';
import { showInGlue } from '../../adapters/engines/glue-tables.ts';
import { createEmrServerless } from '../../adapters/engines/spark/emr-serverless.ts';
import type { EngineName } from '../../core/implementation.ts';
import type { StepDeps, TableEngine } from '../../lake/deps.ts';
import type { ObjectStore } from '../../ports.ts';
import type { FunctionEnvironment } from './environment.ts';

type Place = Pick<FunctionEnvironment, 'athenaWorkgroup' | 'spark' | 'databasePrefix' | 'pipeline'>;

/** The engines that the stack of a pipeline lets a function hand models to. */
export function lambdaEngines(place: Place, glue: GlueClient, store: ObjectStore): Pick<StepDeps, 'sqlEngine'> {
  const { athenaWorkgroup: workgroup, spark, databasePrefix, pipeline } = place;
  if (workgroup === undefined && spark === undefined) return {};
  const tables = showInGlue({ client: glue, databasePrefix, pipeline });
  const engines: Partial<Record<EngineName, TableEngine>> = {};
  if (workgroup !== undefined) {
    const client = new AthenaClient({ requestHandler: CONNECTIONS });
    engines.athena = createAthenaEngine({ client, workgroup, tables });
  }
  if (spark !== undefined) {
    const ask = createAskAws(() => new GlueClient({ requestHandler: CONNECTIONS }).config, {});
    engines.spark = createEmrServerless({ ...spark, ask, store, tables });
  }
  return { sqlEngine: (name) => engines[name] };
}
