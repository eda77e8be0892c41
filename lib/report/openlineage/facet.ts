import type { JsonValue } from '../../core/json-value.ts';
import { RELEASE } from '../../core/release.ts';

/** What made the events; no address of ours is promised to last. */
export const PRODUCER = `https://www.npmjs.com/package/@strata-lake/strata/v/${RELEASE}`;

/** A facet of the standard, by the version of its schema. */
export function facet(
  name: string,
  version: string,
  fields: { readonly [key: string]: JsonValue },
): { readonly [key: string]: JsonValue } {
  const schema = `https://openlineage.io/spec/facets/${version}/${name}.json#/$defs/${name}`;
  return { _producer: PRODUCER, _schemaURL: schema, ...fields };
}
