/** When a branch of a pipeline runs. */
export type ScheduleDefinition = {
  /** Five fields, as crontab has them, or AWS's six: `'0 7 1 * *'`, `'cron(0 7 1 * ? *)'`. */
  readonly cron: string;
  /** The time zone in which it is read, by its IANA name. Default: the pipeline's `timezone`. */
  readonly zone?: string;
  /**
   * What becomes of periods in which no run was: `'all'` are caught up, the oldest first, each with its own run date; of `'last'` the
   * last one alone; `'none'` of them: a period begins within an hour, or is left out. Default `'last'`.
   */
  readonly catchup?: 'all' | 'last' | 'none';
};

/** `schedules: { daily: cron('0 7 * * *', { zone: 'Europe/Berlin' }) }` */
export function cron(expression: string, options: Omit<ScheduleDefinition, 'cron'> = {}): ScheduleDefinition {
  return { cron: expression, ...options };
}
