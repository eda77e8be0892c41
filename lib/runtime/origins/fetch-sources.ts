import { createHttpLander } from '../../adapters/origins/http.ts';
import { InvalidInput } from '../../core/errors.ts';
import { type FetchedOrigin, isFetched, type PostgresOrigin } from '../../core/origins.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import { oneOf } from '../../core/suggest.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { LandedOrigin, Lander } from '../../ports.ts';

export type FetchRequest = { readonly pipeline: string; readonly source?: string };

export type FetchDeps = Pick<StepDeps, 'store' | 'clock' | 'secret' | 'wait'> & {
  /** Lands tables of PostgreSQL; left out where there is nothing that could. */
  readonly table?: (origin: PostgresOrigin) => Lander;
};

export type FetchedSource = { readonly source: string } & (
  | LandedOrigin
  | { readonly failed: { readonly name: string; readonly message: string } }
);

/** Sources whose origin can be asked, by name. Throws InvalidInput where there is none, and for a source that has no such origin. */
export function fetchedSources(
  spec: Pick<PipelineSpec, 'name' | 'sources'>,
  source?: string,
): readonly { readonly name: string; readonly origin: FetchedOrigin }[] {
  const fetched = spec.sources.flatMap((one) => {
    const origin = one.origin;
    return origin !== undefined && isFetched(origin) ? [{ name: one.name, origin }] : [];
  });
  if (source === undefined) {
    if (fetched.length > 0) return fetched;
    throw new InvalidInput(
      `pipeline ${spec.name} has no source that can be fetched: expected one made by http({ ... }) or postgres({ ... })`,
    );
  }
  const found = fetched.filter(({ name }) => name === source);
  if (found.length > 0) return found;
  const names = fetched.map(({ name }) => name);
  const what = isSource(spec.sources, source) ? 'no origin that can be fetched' : 'no such source';
  throw new InvalidInput(
    `source ${JSON.stringify(source)} of pipeline ${spec.name}: got ${what}; expected ${oneOf(source, names)}`,
  );
}

function isSource(sources: readonly SourceSpec[], name: string): boolean {
  return sources.some((one) => one.name === name);
}

/** Lands what each source's origin has. One that fails keeps none of the others from being landed. */
export async function fetchSources(
  deps: FetchDeps,
  spec: Pick<PipelineSpec, 'name' | 'sources'>,
  source?: string,
): Promise<readonly FetchedSource[]> {
  const done: FetchedSource[] = [];
  for (const { name, origin } of fetchedSources(spec, source)) {
    try {
      done.push({ source: name, ...(await fetchSource(deps, spec.name, { name, origin })) });
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      done.push({ source: name, failed: { name: error.name, message: error.message } });
    }
  }
  return done;
}

/** Lands what one source's origin has. Throws as a lander does. */
export async function fetchSource(
  deps: FetchDeps,
  pipeline: string,
  { name, origin }: Pick<SourceSpec, 'name' | 'origin'>,
): Promise<LandedOrigin> {
  if (origin !== undefined && isFetched(origin)) return landerOf(origin, deps).land(`bronze/${pipeline}/${name}/`);
  throw new InvalidInput(`source ${name} of pipeline ${pipeline}: got no origin that can be fetched; expected one`);
}

function landerOf(origin: FetchedOrigin, { store, clock, wait, secret, table }: FetchDeps): Lander {
  const common = { store, wait, now: () => clock.now(), secret: secret ?? (async () => undefined) };
  switch (origin.kind) {
    case 'http':
      return createHttpLander(origin, common);
    case 'postgres':
      if (table !== undefined) return table(origin);
      throw new InvalidInput(
        'a table of PostgreSQL: got a function without an engine; expected strata fetch on a machine that reaches the server',
      );
  }
}
