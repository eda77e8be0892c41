import { FUNCTIONS, type FunctionName, type ObjectGrant, stateRow } from './states.ts';

/**
 * The roles of a pipeline, each for one kind of work: what its functions are granted is what the table of states says of any of them. An
 * account has 1,000 roles, so that functions have no role each.
 */
export const ROLES = {
  /** Before tables change and after: looks at what there is, and removes what a run has left. */
  Open: ['Open', 'OpenRewrite', 'Gate', 'Finish', 'FinishRewrite', 'Fail'],
  /** Reads uploads and tables, and writes files that no table names yet. */
  Work: ['Level', 'PlanStage', 'Stage', 'PlanMerge', 'Merge', 'Audit', 'Rewrite'],
  /** Alone changes tables. */
  Publish: ['Commit', 'CommitRewrite', 'Sweep'],
  /** Reads tables, and what they are served to. */
  Serve: ['Serve'],
  /** Sees no data: the light functions that start runs and tell of them, the state machines and the schedules. */
  Run: ['Notify', 'RunFailed', 'MaintainAfter', 'AwaitDecision', 'Starter'],
} as const satisfies Readonly<Record<string, readonly FunctionName[]>>;

export type RoleName = keyof typeof ROLES;

export const ROLE_NAMES = Object.keys(ROLES) as readonly RoleName[];

/** Throws for a function that is in no role, which a test rules out. */
export function roleOf(name: FunctionName): RoleName {
  const found = ROLE_NAMES.find((role) => functionsOfRole(role).includes(name));
  if (found === undefined) throw new Error(`no role for ${name}: expected one in ROLES`);
  return found;
}

export function functionsOfRole(role: RoleName): readonly FunctionName[] {
  return ROLES[role];
}

/** What a role may do: all that one of its functions may. */
export type RoleGrants = {
  readonly objects: readonly ObjectGrant[];
  readonly others: readonly ObjectGrant[];
  readonly everyones: readonly ObjectGrant[];
  /** From the least to the most. */
  readonly catalog: readonly ('find' | 'look' | 'change' | 'tend')[];
  readonly seesExecutions: boolean;
};

/** `there`: the functions that a pipeline has. */
export function grantsOf(role: RoleName, there: readonly FunctionName[] = FUNCTIONS): RoleGrants {
  const rows = there.filter((name) => roleOf(name) === role).map(stateRow);
  return {
    objects: joined(rows.flatMap(({ objects }) => objects)),
    others: joined(rows.flatMap(({ others = [] }) => others)),
    everyones: joined(rows.flatMap(({ everyones = [] }) => everyones)),
    catalog: rows.flatMap(({ catalog }) => catalog ?? []),
    seesExecutions: rows.some(({ executions }) => executions === 'look'),
  };
}

type May = ObjectGrant['may'][number];

/** The same grants, each place once, and those together of which the same is allowed. */
function joined(grants: readonly ObjectGrant[]): readonly ObjectGrant[] {
  const places = new Map<
    string,
    { readonly zone: ObjectGrant['zone']; readonly below: string; readonly may: Set<May> }
  >();
  for (const { zone, below, may } of grants) {
    for (const rest of below) {
      const key = `${zone}/${rest}`;
      const place = places.get(key) ?? { zone, below: rest, may: new Set<May>() };
      for (const what of may) place.may.add(what);
      places.set(key, place);
    }
  }
  const all = [...places.values()];
  // What may be done everywhere in a zone needs no word for a part of it.
  const needed = all.filter(
    (one) =>
      one.below === '' ||
      !all.some(
        (wide) => wide.zone === one.zone && wide.below === '' && [...one.may].every((what) => wide.may.has(what)),
      ),
  );
  const groups = Map.groupBy(needed, ({ zone, may }) => `${zone} ${[...may].sort().join()}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ zone: first.zone, below: group.map(({ below }) => below), may: [...first.may].sort() }];
  });
}
