/**
 * What happens to Task and Map states; a retried or mapped Task starts once for each attempt and item. `within`: it is no
 * state that was entered, but a step that the call of this state does.
 */
export type StateEvent = { readonly within?: 'Level' } & (
  | { readonly kind: 'started'; readonly state: string }
  /**
   * A transition, as AWS bills them: a state of any type is entered, or entered again by a retry; for a Map state also the
   * start of each child execution. Told by the runner's log, so that it may come a little late.
   */
  | { readonly kind: 'entered'; readonly state: string }
  /** A Map state has read its items. */
  | { readonly kind: 'items'; readonly state: string; readonly count: number }
  | { readonly kind: 'succeeded'; readonly state: string; readonly durationMs: number }
  | {
      readonly kind: 'failed';
      readonly state: string;
      readonly durationMs: number;
      readonly error: string;
      readonly cause: string;
    }
);
