import { InvalidInput } from '../core/errors.ts';
import { matchesGlob } from '../core/glob.ts';
import { type ModelSpec, modelId } from '../core/spec.ts';
import { didYouMean } from '../core/suggest.ts';

/** Selectors as they were given: any of `select`, all models where there is none, without those of `exclude`. */
export type Selectors = { readonly select?: readonly string[]; readonly exclude?: readonly string[] };

/** Of a PipelineSpec, what selectors look at. */
export type Selectable = {
  readonly name: string;
  readonly sources: readonly { readonly name: string }[];
  readonly models: readonly ModelSpec[];
};

/** What `state:` asks for: ids of the models that are not as the run had them that ran them last. */
export type ModelState = { readonly modified: ReadonlySet<string>; readonly fresh: ReadonlySet<string> };

/** Models of a run that does not run all: ids in the order of the pipeline. */
export type Selection = {
  readonly models: readonly string[];
  /** Those that nobody selected, which run as well because a selected one cannot run without them. */
  readonly along: readonly { readonly model: string; readonly because: string }[];
};

/** Whether selectors ask how models have changed. */
export function asksForState({ select = [], exclude = [] }: Selectors): boolean {
  return [...select, ...exclude].some((one) => /(^|[\s,+])state:/.test(one));
}

/**
 * The models that selectors name, in dbt's grammar: `a`, `silver.a`, `sil*`, `tag:x`, `source:x`, `state:modified`, `state:new`;
 * `+` before or behind adds all that it is made from or that is made from it, with a number so many steps of it; a comma
 * means both, a space or another selector either. `unasked`: which models there are where none is named. Throws InvalidInput for what
 * names nothing.
 */
export function selectModels(
  spec: Selectable,
  selectors: Selectors,
  state?: ModelState,
  unasked: (model: ModelSpec) => boolean = () => true,
): readonly string[] {
  const { select = [], exclude = [] } = selectors;
  const union = (given: readonly string[]): ReadonlySet<string> =>
    new Set(given.flatMap((text) => words(text).flatMap((word) => [...intersect(spec, word, state)])));
  const chosen = select.length === 0 ? new Set(spec.models.filter(unasked).map(modelId)) : union(select);
  const left = union(exclude);
  return spec.models.map(modelId).filter((id) => chosen.has(id) && !left.has(id));
}

function words(text: string): readonly string[] {
  const found = text.split(/\s+/).filter((word) => word !== '');
  if (found.length === 0) throw new InvalidInput(`an empty selector: expected ${GRAMMAR}`);
  return found;
}

const GRAMMAR =
  "a model such as 'revenue', 'silver.orders', '+revenue', 'orders+', tag:..., source:... or state:modified";

function intersect(spec: Selectable, word: string, state: ModelState | undefined): ReadonlySet<string> {
  const parts = word.split(',');
  const sets = parts.map((part) => selectOne(spec, part, state));
  const all = new Set(spec.models.map(modelId).filter((id) => sets.every((set) => set.has(id))));
  if (all.size > 0 || parts.length === 1 || asksForState({ select: parts })) return all;
  throw new InvalidInput(
    `the selector ${JSON.stringify(word)} selects nothing: a comma means both; for either, give --select twice or a space`,
  );
}

function selectOne(spec: Selectable, text: string, state: ModelState | undefined): ReadonlySet<string> {
  const [, above, named = '', below] = /^(\d*\+)?(.*?)(\+\d*)?$/s.exec(text) ?? [];
  const found = new Set(named === '' ? fail(spec, text) : methodOf(spec, named, state));
  const steps = (sign: string): number => Number(sign.replace('+', '') || Number.POSITIVE_INFINITY);
  const up = above === undefined ? [] : reach(found, steps(above), (id) => inputsOf(spec, id));
  const down = below === undefined ? [] : reach(found, steps(below), (id) => readersOf(spec, id));
  return new Set([...found, ...up, ...down]);
}

function methodOf(spec: Selectable, named: string, state: ModelState | undefined): readonly string[] {
  const [, method, value = ''] = /^([a-z_.]+):(.*)$/s.exec(named) ?? [];
  switch (method) {
    case undefined:
      return byName(spec, named);
    case 'tag':
      return byTag(spec, value);
    case 'source':
      return bySource(spec, value);
    case 'state':
      return byState(spec, value, state);
    default:
      throw new InvalidInput(`the selector ${JSON.stringify(named)} is of no kind that there is: expected ${GRAMMAR}`);
  }
}

function byName(spec: Selectable, name: string): readonly string[] {
  const found = spec.models.filter((model) => [model.id, model.name].some((own) => matchesGlob(name, own)));
  return found.length > 0 ? found.map(modelId) : fail(spec, name);
}

function fail(spec: Selectable, name: string): never {
  const ids = spec.models.map(modelId);
  const names = [...ids, ...spec.models.map((model) => model.name)];
  throw new InvalidInput(
    `no model ${JSON.stringify(name)} in ${spec.name}: expected one of ${ids.join(', ')}${didYouMean(name, names)}`,
  );
}

function byTag({ name, models }: Selectable, tag: string): readonly string[] {
  const tags = [...new Set(models.flatMap((model) => model.tags ?? []))].sort();
  if (tags.includes(tag)) return models.filter((model) => model.tags?.includes(tag)).map(modelId);
  const known = tags.length === 0 ? 'none: no model has tags' : `one of ${tags.join(', ')}`;
  throw new InvalidInput(`no tag ${JSON.stringify(tag)} in ${name}: expected ${known}${didYouMean(tag, tags)}`);
}

/** A source is no table; what is made from it is. */
function bySource({ name, models, sources }: Selectable, source: string): readonly string[] {
  const known = sources.map((one) => one.name);
  if (known.includes(source)) {
    return models.filter((model) => model.layer === 'silver' && model.from === source).map(modelId);
  }
  throw new InvalidInput(
    `no source ${JSON.stringify(source)} in ${name}: expected one of ${known.join(', ')}${didYouMean(source, known)}`,
  );
}

function byState({ models }: Selectable, what: string, state: ModelState | undefined): readonly string[] {
  if (what !== 'modified' && what !== 'new') {
    throw new InvalidInput(`no state ${JSON.stringify(what)}: expected modified or new`);
  }
  if (state === undefined) throw new InvalidInput(`state:${what} needs a lake, whose last runs it looks at`);
  const chosen = what === 'new' ? state.fresh : state.modified;
  return models.map(modelId).filter((id) => chosen.has(id));
}

function reach(from: ReadonlySet<string>, steps: number, next: (id: string) => readonly string[]): readonly string[] {
  const seen = new Set<string>();
  let front: readonly string[] = [...from];
  for (let step = 0; step < steps && front.length > 0; step += 1) {
    front = front.flatMap(next).filter((id) => !seen.has(id));
    for (const id of front) seen.add(id);
  }
  return [...seen];
}

function inputsOf({ models }: Selectable, id: string): readonly string[] {
  const reads = models.find((model) => model.id === id)?.reads ?? [];
  return reads.filter(({ pipeline }) => pipeline === undefined).map(modelId);
}

function readersOf({ models }: Selectable, id: string): readonly string[] {
  return models.filter((model) => model.reads.some((read) => modelId(read) === id)).map(modelId);
}

/**
 * A selection that can be run. Rows of silver are made once: a silver table that joins another must find there what has
 * landed before. Gold is made again, so it runs alone. Throws InvalidInput where what has to come along was excluded.
 */
export function completeSelection(
  spec: Selectable,
  selectors: Selectors,
  state?: ModelState,
  unasked?: (model: ModelSpec) => boolean,
): Selection {
  const selected = selectModels(spec, selectors, state, unasked);
  const excluded =
    (selectors.exclude ?? []).length === 0 ? [] : selectModels(spec, { select: selectors.exclude ?? [] }, state);
  const reasons = new Map<string, string>();
  const chosen = new Set(selected);
  for (const id of chosen) {
    for (const [other, because] of neededBy(spec, id)) {
      if (chosen.has(other)) continue;
      if (excluded.includes(other)) {
        throw new InvalidInput(`${other} is excluded, but ${because}: exclude ${id} as well, or neither`);
      }
      reasons.set(other, because);
      chosen.add(other);
    }
  }
  const ids = spec.models.map(modelId).filter((id) => chosen.has(id));
  const along = ids.flatMap((model) => {
    const because = reasons.get(model);
    return because === undefined ? [] : [{ model, because }];
  });
  return { models: ids, along };
}

function neededBy({ models }: Selectable, id: string): readonly (readonly [id: string, because: string])[] {
  const model = models.find((one) => one.id === id);
  if (model?.layer !== 'silver') return [];
  return model.reads.map((read) => [modelId(read), `${id} joins it`] as const);
}
