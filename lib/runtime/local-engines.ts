import { createTrinoEngine, parseTrino } from '../adapters/engines/trino.ts';
import type { StepDeps } from '../lake/deps.ts';

/** On one machine a Trino speaks for Athena, whose words are Trino's, where STRATA_TRINO names one. */
export function localEngines(trino: string | undefined): Pick<StepDeps, 'sqlEngine'> {
  if (trino === undefined || trino === '') return {};
  const engine = createTrinoEngine(parseTrino(trino));
  return { sqlEngine: (name) => (name === 'athena' ? engine : undefined) };
}
