import { ObjectNotFound } from '../../core/errors.ts';
import type { Chosen } from '../../core/implementation.ts';
import { implementedBy, textNamed } from '../../core/implementations.ts';
import { textHash } from '../../core/parity.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { swapJson } from '../run/run-folder.ts';

/** Which text of a model was chosen, in place of the one that the definition uses: by whom, when and why. */
export type Choice = {
  readonly use: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  /** The hash of that text as it was then; earlier releases kept none. */
  readonly text?: string;
  /** The text that was published before, to which one goes back without asking. None where one has gone back: forward is asked for again. */
  readonly before?: { readonly name: string; readonly text: string };
};

/** By model id. `etag`: of the object that says so. */
export type Choices = { readonly models: Readonly<Record<string, Choice>>; readonly etag: string | undefined };

function choicesKey(pipeline: string): string {
  return `ops/${pipeline}/implementations.json`;
}

export async function readChoices(store: ObjectStore, pipeline: string): Promise<Choices> {
  try {
    const { bytes, etag } = await store.read(choicesKey(pipeline));
    const { models } = JSON.parse(new TextDecoder().decode(bytes)) as Pick<Choices, 'models'>;
    return { models, etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return { models: {}, etag: undefined };
    throw cause;
  }
}

/** Records a choice unless others have been made since `seen` was read; answers whether it did. */
export function writeChoice(
  store: ObjectStore,
  pipeline: string,
  seen: Choices,
  chosen: { readonly model: string; readonly choice: Choice },
): Promise<boolean> {
  const models = { ...seen.models, [chosen.model]: chosen.choice };
  return swapJson(store, choicesKey(pipeline), seen.etag, { models });
}

/** The compiled pipeline with the texts that were chosen for its models. A text that it no longer has is chosen in vain. */
export async function chosenSpec(
  { store, specs }: Pick<StepDeps, 'store' | 'specs'>,
  pipeline: string,
): Promise<PipelineSpec> {
  return withChosen(store, await specs(pipeline));
}

export async function withChosen(store: ObjectStore, spec: PipelineSpec): Promise<PipelineSpec> {
  // Nobody is asked where there is nothing to choose.
  if (spec.models.every((model) => model.layer === 'silver' || model.implementations === undefined)) return spec;
  const choices = await readChoices(store, spec.name);
  return { ...spec, models: spec.models.map((model) => chooseText(model, choices.models[model.id])) };
}

function chooseText(model: ModelSpec, choice: Choice | undefined): ModelSpec {
  if (model.layer === 'silver' || model.implementations === undefined) return model;
  const { chosen, ...implementations } = model.implementations;
  // What is taken from the plan of a run has the choice of then.
  const declared = chosen?.declared ?? implementations.use;
  const own = implementedBy({ ...model, implementations }, declared);
  if (choice === undefined || textNamed(model, choice.use) === undefined) return own;
  const { use, by, at, reason, text } = choice;
  // The definition has come to use what was chosen: another text that has the name by now is not what was compared.
  if (use !== declared && text === textHash(own, declared)) return own;
  const made: Chosen = { declared, by, at, reason };
  const now = implementedBy(own, use);
  return now.implementations === undefined
    ? own
    : { ...now, implementations: { ...now.implementations, chosen: made } };
}
