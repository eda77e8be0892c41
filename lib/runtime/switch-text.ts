import { InvalidInput } from '../core/errors.ts';
import { textHash } from '../core/parity.ts';
import type { GoldModel, PipelineSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type Choices, readChoices, withChosen, writeChoice } from '../lake/ops/choices.ts';
import type { QueryDeps } from '../query/deps.ts';
import { goldTable, paritiesOf, type RecordedParity } from '../query/list-parities.ts';

export type SwitchRequest = {
  /** A gold table by full name. */
  readonly table: string;
  /** The name of the text that is to make it. */
  readonly to: string;
  readonly by: string;
  /** Left out: what allowed it. */
  readonly reason?: string;
  /** The latest comparisons have to be equal, back to so many of different rows. */
  readonly parities: number;
  readonly dryRun: boolean;
};

export type SwitchAnswer = {
  readonly table: string;
  readonly from: string;
  readonly to: string;
  /** `switched`; `would be switched`, of a dry run; `unchanged`: the text makes the table already. */
  readonly status: 'switched' | 'would be switched' | 'unchanged';
  readonly reason: string;
  readonly parities: readonly RecordedParity[];
};

type Deps = QueryDeps & Pick<StepDeps, 'store' | 'specs' | 'clock'>;

/**
 * Lets another text of a model make its table from the next run on. Throws InvalidInput unless the latest comparisons of exactly these
 * two texts were equal; going back to the one that was published before needs none, and from there forward it does.
 */
export async function switchText(deps: Deps, request: SwitchRequest): Promise<SwitchAnswer> {
  const { pipeline, name } = goldTable(request.table);
  for (;;) {
    const seen = await readChoices(deps.store, pipeline);
    const model = modelOf(await withChosen(deps.store, await deps.specs(pipeline)), name, request);
    const from = model.implementations?.use ?? '';
    const answer = { table: request.table, from, to: request.to };
    if (from === request.to)
      return { ...answer, status: 'unchanged', reason: 'it makes the table already', parities: [] };
    const allowed = await allow(deps, pipeline, model, request, seen);
    const reason = request.reason ?? allowed.why;
    const done = { ...answer, reason, parities: allowed.parities };
    if (request.dryRun) return { ...done, status: 'would be switched' };
    const choice = {
      use: request.to,
      by: request.by,
      at: deps.clock.now().toISOString(),
      reason,
      text: textHash(model, request.to),
      ...(allowed.back ? {} : { before: { name: from, text: textHash(model, from) } }),
    };
    if (await writeChoice(deps.store, pipeline, seen, { model: model.id, choice }))
      return { ...done, status: 'switched' };
  }
}

/** Throws InvalidInput for a model that is not there, has one text, or none of the name. */
function modelOf(spec: PipelineSpec, name: string, { table, to }: SwitchRequest): GoldModel {
  const gold = spec.models.filter((model) => model.layer === 'gold');
  const model = gold.find((one) => one.name === name);
  if (model === undefined) {
    const known = gold.map((one) => `${spec.name}_gold.${one.name}`);
    throw new InvalidInput(`no gold model makes ${table}: expected ${oneOf(table, known)}`);
  }
  const names = model.implementations?.texts.map((text) => text.name) ?? [];
  if (names.length < 2) {
    throw new InvalidInput(
      `${table} has one text: got nothing to switch to; expected sql: { current: 'gold/x.sql', candidate: 'gold/x_v2.sql' } in the pipeline`,
    );
  }
  if (names.includes(to)) return model;
  throw new InvalidInput(`--to: got ${JSON.stringify(to)}; expected a text of ${table}: ${oneOf(to, names)}`);
}

type Allowed = { readonly why: string; readonly back: boolean; readonly parities: readonly RecordedParity[] };

async function allow(
  deps: Deps,
  pipeline: string,
  model: GoldModel,
  request: SwitchRequest,
  { models }: Choices,
): Promise<Allowed> {
  const { table, to, parities: needed } = request;
  const from = model.implementations?.use ?? '';
  const texts = [textHash(model, from), textHash(model, to)] as const;
  const before = models[model.id]?.before;
  if (before?.name === to && before.text === texts[1])
    return { why: `back to ${to}, which was published before`, back: true, parities: [] };
  const found = await paritiesOf(deps, pipeline, { model: model.id, texts }, { digests: needed });
  const run = `strata run ${pipeline} --shadow`;
  const unequal = found.find((one) => !one.equal);
  if (unequal !== undefined) {
    const { error, differing, rows, run_id } = unequal;
    const got = error ?? `${differing} differing of ${rows} rows`;
    throw new InvalidInput(
      `${table} stays with ${from}: got ${got} in run ${run_id}; expected the last ${needed} comparisons of ${from} and ${to} to be equal. ` +
        `strata parity ${table} lists them; mend ${to}, and compare again: ${run}`,
    );
  }
  // To compare the same rows again proves nothing more.
  const different = new Set(found.map(({ digest }) => digest)).size;
  if (different < needed) {
    const again = found.length === different ? '' : `, as ${found.length - different} were of the same rows again`;
    throw new InvalidInput(
      `${table} stays with ${from}: got ${different} comparisons of ${from} and ${to} as they are now${again}; expected ${needed} that are equal, each of other rows. Compare them: ${run}`,
    );
  }
  const why = `the last ${needed} comparisons with ${from} were equal`;
  return { why, back: false, parities: found };
}
