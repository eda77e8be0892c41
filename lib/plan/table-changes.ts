import { isKeyed } from '../core/keyed.ts';
import { MADE_PARTS, type MadeBy, type MadePart } from '../core/made-by.ts';
import type { ModelSpec } from '../core/spec.ts';

/**
 * What a change of the pipeline means for a table that is there already. `metadata`: its rows stay as they are. `recompute`:
 * its rows follow from other tables or from its own log. `backfill`: only bronze can say what they would be.
 */
export type ChangeKind = 'metadata' | 'recompute' | 'backfill';

export type TableChange = {
  /** The model's id. */
  readonly model: string;
  readonly kind: ChangeKind;
  /** What has changed, in words: `the SQL`, `column amount of the contract`. */
  readonly what: readonly string[];
};

const WORDS: Readonly<Record<Exclude<MadePart, 'contract'>, string>> = {
  columns: 'the columns',
  sql: 'the SQL',
  mode: 'the mode',
  key: 'the key',
  partitioning: 'the partitioning',
  format: "how the source's files are read",
  rules: 'expectations that reject rows',
};

/** How the model of now differs from what made its table; undefined where it does not. */
export function compareMade(model: ModelSpec, was: MadeBy, is: MadeBy): TableChange | undefined {
  const parts = MADE_PARTS.filter((part) => was[part] !== is[part] && (part !== 'sql' || was.written !== is.written));
  const contract = contractChanges(was, is);
  if (parts.length + contract.changed.length + contract.added.length + contract.removed.length === 0) return undefined;
  const what = [
    ...parts.map((part) => WORDS[part]),
    ...contract.changed.map((name) => `column ${name} of the contract`),
    ...contract.added.map((name) => `column ${name}, new in the contract`),
    ...contract.removed.map((name) => `column ${name}, gone from the contract`),
  ];
  const fresh = contract.changed.length > 0 || was.keyed !== is.keyed;
  return { model: model.id, kind: kindOf(model, parts, fresh), what };
}

type ContractChanges = { readonly [kind in 'added' | 'removed' | 'changed']: readonly string[] };

function contractChanges({ contract: was }: MadeBy, { contract: is }: MadeBy): ContractChanges {
  if (was === null || is === null) return { added: [], removed: [], changed: [] };
  return {
    added: Object.keys(is).filter((name) => !Object.hasOwn(was, name)),
    removed: Object.keys(was).filter((name) => !Object.hasOwn(is, name)),
    changed: Object.keys(is).filter((name) => Object.hasOwn(was, name) && was[name] !== is[name]),
  };
}

/** `fresh`: nothing that is kept says what the rows would be now. */
function kindOf(model: ModelSpec, parts: readonly (typeof MADE_PARTS)[number][], fresh: boolean): ChangeKind {
  const has = (...some: readonly (typeof MADE_PARTS)[number][]): boolean => parts.some((part) => some.includes(part));
  if (model.layer === 'gold') return 'recompute';
  if (fresh || has('sql', 'key', 'format', 'rules')) return 'backfill';
  if (has('mode')) return isKeyed(model) ? 'recompute' : 'backfill';
  return 'metadata';
}
