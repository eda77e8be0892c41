import type { Measured } from './requests.ts';

/** A list of units, by its key. */
export type UnitsRef = { readonly units_key: string; readonly count: number };

/** What a call of Level leaves of the level to functions of their own, from there on. */
export type LeftOfLevel = 'stage' | 'plan_merge' | 'merge' | 'audit' | 'nothing';

/** The level that a run is at. */
export type LevelState = {
  readonly level: number;
  readonly levels: number;
  /** Set by Level alone. */
  readonly left?: LeftOfLevel;
  /** `alone`: one call may do them all. */
  readonly stage?: UnitsRef & { readonly alone?: true };
  /** With what planning them took, which the level's audit writes down. */
  readonly merge?: UnitsRef & Partial<Measured>;
};
