/** What DuckDB says of one statement. Times are in ms; memory and spill are the most at a time. */
export type StatementProfile = {
  /** By which the statement is known, such as `write silver.orders`. */
  readonly name: string;
  readonly ms: number;
  readonly rows_scanned: number;
  readonly bytes_read: number;
  readonly bytes_written: number;
  readonly memory_bytes: number;
  readonly spilled_bytes: number;
  /** As a tree, from what gives the result to what it is made from; null of a statement that has none. */
  readonly plan: ProfiledOperator | null;
};

export type ProfiledOperator = {
  readonly operator: string;
  /** What it reads or orders by, where it says so. */
  readonly about: string | null;
  /** That it gives. */
  readonly rows: number;
  readonly bytes: number;
  /** Of all threads together. */
  readonly ms: number;
  readonly children: readonly ProfiledOperator[];
};

/** The statements of a unit: those of one session, in their order. */
export type UnitProfile = { readonly statements: StatementProfile[] };

/** What is kept of a run that was profiled, for pages: the statements that took longest, the first of them first. */
export type KeptProfile = {
  readonly run_id: string;
  readonly at: string;
  readonly statements: readonly (Omit<StatementProfile, 'plan'> & {
    /** From 1, in the order in which sessions were opened. */
    readonly unit: number;
    /** From what gives the result, at depth 0, down to what it is made from. */
    readonly operators: readonly (Omit<ProfiledOperator, 'about' | 'children'> & { readonly depth: number })[];
  })[];
};

/** Reads the profile that DuckDB writes of a statement as JSON. */
export function parseProfile(name: string, profile: unknown): StatementProfile {
  const root = recordOf(profile);
  const [plan] = childrenOf(root);
  return {
    name,
    ms: numberOf(root['latency']) * 1_000,
    rows_scanned: numberOf(root['cumulative_rows_scanned']),
    bytes_read: numberOf(root['total_bytes_read']),
    bytes_written: numberOf(root['total_bytes_written']),
    memory_bytes: numberOf(root['system_peak_buffer_memory']),
    spilled_bytes: numberOf(root['system_peak_temp_dir_size']),
    plan: plan === undefined ? null : operatorOf(plan),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function operatorOf(operator: Fields): ProfiledOperator {
  const about = recordOf(operator['extra_info']);
  const shown = ['Table', 'Function', 'Order By', 'Groups', 'Conditions'].flatMap((key) => textOf(about[key]) ?? []);
  return {
    operator: String(operator['operator_name'] ?? operator['operator_type'] ?? '').trim(),
    about: shown[0] ?? null,
    rows: numberOf(operator['operator_cardinality']),
    bytes: numberOf(operator['result_set_size']),
    ms: numberOf(operator['operator_timing']) * 1_000,
    children: childrenOf(operator).map(operatorOf),
  };
}

function childrenOf({ children }: Fields): readonly Fields[] {
  return Array.isArray(children) ? children.map(recordOf) : [];
}

function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textOf(value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.join(', ') : value;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
