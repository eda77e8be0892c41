/** What one check of a machine or an account came to. */
export type Finding = {
  /** What was looked at, in a word or two: `lake folder`. */
  readonly check: string;
  /** warn: it works, but not as it could. fail: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** What there is. */
  readonly found: string;
  /** What to do about it; of whatever is not ok. */
  readonly advice?: string;
};

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found };
}

export function warn(check: string, found: string, advice: string): Finding {
  return { check, status: 'warn', found, advice };
}

export function fail(check: string, found: string, advice: string): Finding {
  return { check, status: 'fail', found, advice };
}
