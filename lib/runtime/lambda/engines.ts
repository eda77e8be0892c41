import { AthenaClient } from '@aws-sdk/client-athena';
import type { GlueClient } from '@aws-sdk/client-glue';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAthenaEngine } from '../../adapters/engines/athena.ts';
import { showInGlue } from '../../adapters/engines/glue-tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { FunctionEnvironment } from './environment.ts';

type Place = Pick<FunctionEnvironment, 'athenaWorkgroup' | 'databasePrefix' | 'pipeline'>;

/** The engines that the stack of a pipeline lets a function hand models to. */
export function lambdaEngines(place: Place, glue: GlueClient): Pick<StepDeps, 'sqlEngine'> {
  const { athenaWorkgroup: workgroup, databasePrefix, pipeline } = place;
  if (workgroup === undefined) return {};
  const tables = showInGlue({ client: glue, databasePrefix, pipeline });
  const athena = createAthenaEngine({ client: new AthenaClient({ requestHandler: CONNECTIONS }), workgroup, tables });
  return { sqlEngine: (name) => (name === 'athena' ? athena : undefined) };
}
