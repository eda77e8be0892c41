import { isKeyed } from '../core/keyed.ts';
import { MADE_PARTS, type MadeBy, type MadePart } from '../core/made-by.ts';
import type { ModelSpec } from '../core/spec.ts';

/**
 * What a change of the pipeline means for a table that is there already. `metadata`: its rows stay as they are. `recompute`:
 * its rows follow from other tables or from its own log. `backfill`: only bronze can say what they would be. `check`: its rows
 * stay, and are asked whether they are as is expected now. `describe`: what the table says of its columns is other than what the pipeline
 * says; no file is written.
 */
export type ChangeKind = 'metadata' | 'recompute' | 'backfill' | 'check' | 'describe';

export type TableChange = {
  /** The model's id. */
  readonly model: string;
  readonly kind: ChangeKind;
  /** What has changed, in words: `the SQL`, `column amount of the contract`. */
  readonly what: readonly string[];
  /** True: rows of now cannot stand beside those that are there, so that nothing can go forward without these. */
  readonly apart?: true;
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

/**
 * How the model of now differs from what made its table; undefined where it does not. `is` goes by the names that columns
 * had then; `renamed` has these by the names of now.
 */
export function compareMade(
  model: ModelSpec,
  was: MadeBy,
  is: MadeBy,
  renamed: ReadonlyMap<string, string> = new Map(),
): TableChange | undefined {
  const parts = MADE_PARTS.filter((part) => was[part] !== is[part] && (part !== 'sql' || was.written !== is.written));
  const contract = contractChanges(was, is, renamed);
  const names = [...renamed].map(([name, before]) => `column ${name}, ${before} before`);
  const write = was.write === is.write ? [] : [`writeMode, ${is.write ?? 'copy-on-write'} now`];
  const what = [...parts.map((part) => WORDS[part]), ...contract.grave, ...contract.slight, ...names, ...write];
  if (what.length === 0) return undefined;
  const full = model.layer === 'silver' && model.mode.kind === 'full';
  const fresh = was.keyed !== is.keyed || (contract.grave.length > 0 && !full);
  return { model: model.id, kind: kindOf(model, parts, fresh), what };
}

/** Names of the expectations that rows which are there have yet to be asked about; none where the table does not remember. */
export function uncheckedOf({ checks: was }: MadeBy, { checks: is = {} }: MadeBy): readonly string[] {
  if (was === undefined) return [];
  return Object.keys(is).filter((name) => !Object.hasOwn(was, name) || was[name] !== is[name]);
}

/** Expectations that are new, or others than those that were last asked of the table; undefined where none is. */
export function compareChecks(model: ModelSpec, was: MadeBy, is: MadeBy): TableChange | undefined {
  const what = uncheckedOf(was, is).map((name) => {
    const known = was.checks !== undefined && Object.hasOwn(was.checks, name);
    return `expectation ${name}${known ? '' : ', new'}`;
  });
  return what.length === 0 ? undefined : { model: model.id, kind: 'check', what };
}

/** In words: what may make other values of text that was read before, and what cannot. */
type ContractChanges = { readonly grave: readonly string[]; readonly slight: readonly string[] };

function contractChanges(
  { contract: was }: MadeBy,
  { contract: is }: MadeBy,
  renamed: ReadonlyMap<string, string>,
): ContractChanges {
  const [grave, slight]: [string[], string[]] = [[], []];
  const names = new Map([...renamed].map(([name, then]) => [then, name]));
  for (const [then, column] of Object.entries(is ?? {})) {
    const before = was !== null && Object.hasOwn(was, then) ? was[then] : undefined;
    const name = names.get(then) ?? then;
    if (before === undefined) {
      if (column.filled) grave.push(`column ${name}, new in the contract with a default`);
      else slight.push(`column ${name}, new in the contract`);
      continue;
    }
    if (before.rest !== column.rest) grave.push(`column ${name} of the contract`);
    if (before.type === column.type) continue;
    const as = name === then ? '' : `, as ${then},`;
    const words = `${name} is ${before.type} in the table${as} and ${column.type} in the pipeline`;
    (isWidening(before.type, column.type) ? slight : grave).push(words);
  }
  const gone = Object.keys(was ?? {}).filter((name) => is !== null && !Object.hasOwn(is, name));
  return { grave, slight: [...slight, ...gone.map((name) => `column ${name}, gone from the contract`)] };
}

/** Types of which the wider holds all values of the other, whichever came first: the table has the wider of them. */
function isWidening(was: string, is: string): boolean {
  const families = [
    ['int', 'bigint'],
    ['float', 'double'],
  ];
  if (families.some((family) => family.includes(was) && family.includes(is))) return true;
  const [a, b] = [was, is].map((type) => /^decimal\(\d+,(\d+)\)$/.exec(type)?.[1]);
  return a !== undefined && a === b;
}

/** `fresh`: nothing that is kept says what the rows would be now. */
function kindOf(model: ModelSpec, parts: readonly (typeof MADE_PARTS)[number][], fresh: boolean): ChangeKind {
  const has = (...some: readonly (typeof MADE_PARTS)[number][]): boolean => parts.some((part) => some.includes(part));
  if (model.layer === 'gold') return 'recompute';
  // The next files replace all that a full table holds.
  if (model.mode.kind === 'full' && !fresh) return 'metadata';
  if (fresh || has('sql', 'key', 'format', 'rules')) return 'backfill';
  // Partitions of another layout are not those that files replace.
  if (has('partitioning') && model.mode.kind === 'replace') return 'backfill';
  if (has('mode')) return isKeyed(model) ? 'recompute' : 'backfill';
  return 'metadata';
}

/** Whether a run does what a change asks for without writing rows. */
export function staysAsItIs({ kind }: Pick<TableChange, 'kind'>): boolean {
  return kind === 'check' || kind === 'describe';
}

const DONE: Readonly<Record<ChangeKind, string>> = {
  metadata: 'the rows stay as they are',
  recompute: 'computed anew',
  backfill: 'new rows follow the pipeline of now, the others stay as they are',
  check: 'the rows that are there are checked',
  describe: 'the table says it; the rows stay as they are',
};

/** What a run does for a change, in words. Rows of a key that new events touch follow by themselves. */
export function doneTo({ layer }: Pick<ModelSpec, 'layer'>, table: string, kind: ChangeKind): string {
  if (layer === 'gold' || kind !== 'recompute') return DONE[kind];
  return `keys that new events touch follow; strata rebuild ${table} makes all rows anew`;
}
