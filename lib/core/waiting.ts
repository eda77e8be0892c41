/** Of what an execution is started with, what says how it waits for its pipeline's turn. */
export type Waiting = {
  /** Present: the execution waits while another run works, instead of failing. */
  readonly wait?: true;
  /** What started the execution, where no person did. Of such executions one waits for all. */
  readonly started_by?: StartedBy;
  /** False: no maintenance follows, so that what is due stays due. */
  readonly maintain?: false;
  /** The execution's own ARN, where there is one. */
  readonly execution?: string;
};

/**
 * `events`: files that landed, and runs that are followed. `schedule`: the pipeline's own. `comparison`: the one on which all of
 * bronze is compared.
 */
export type StartedBy = 'events' | 'schedule' | 'comparison';

/** An execution that waits for its pipeline's turn, and the run that it will open. */
export type Waiter = { readonly execution: string; readonly run_id: string };
