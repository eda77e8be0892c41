import type { KeyedMode } from '../../lib/core/spec.ts';

/** A keyed mode that says nothing but by what rows are told apart and ordered. */
export const KEYED: KeyedMode = {
  kind: 'upsert',
  key: ['id'],
  sequence: 'at',
  track: [],
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: null,
};
