export type ExpectationPolicy = 'drop' | 'warn' | 'fail';

/** `row`: a condition per row (a row fails where it is false, NULL passes); the others look at the whole staged table. */
export type Expectation =
  | {
      readonly kind: 'row';
      readonly name: string;
      readonly policy: ExpectationPolicy;
      readonly condition: string;
      readonly code: string;
    }
  | {
      readonly kind: 'unique';
      readonly name: string;
      readonly policy: 'warn' | 'fail';
      readonly columns: readonly string[];
    }
  | {
      readonly kind: 'rowCount';
      readonly name: string;
      readonly policy: 'warn' | 'fail';
      readonly min: number | null;
      readonly max: number | null;
    }
  /** SQL that returns offending rows; `this` names the staged table. */
  | { readonly kind: 'sql'; readonly name: string; readonly policy: 'warn' | 'fail'; readonly query: string };
