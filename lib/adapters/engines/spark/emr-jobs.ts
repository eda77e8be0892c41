import { z } from 'zod';
import type { AskAws } from '../../../core/aws-question.ts';
import type { SqlEngine } from '../../../core/sql-engine.ts';

/** What a job is to do, as StartJobRun takes it. */
export type Job = {
  readonly clientToken: string;
  readonly executionRoleArn: string;
  readonly name: string;
  readonly executionTimeoutMinutes: number;
  readonly jobDriver: {
    readonly sparkSubmit: {
      readonly entryPoint: string;
      readonly entryPointArguments: readonly string[];
      readonly sparkSubmitParameters: string;
    };
  };
};

const started = z.object({ jobRunId: z.string() });
const found = z.object({
  jobRun: z.object({
    state: z.string(),
    stateDetails: z.string().default(''),
    jobDriver: z.object({ sparkSubmit: z.object({ entryPointArguments: z.array(z.string()).default([]) }).optional() }),
  }),
});
export type JobRun = z.infer<typeof found>['jobRun'];

/** Answers the id of a job; a token that was given before answers that of the job that it began. */
export async function startJob(ask: AskAws, applicationId: string, body: Job): Promise<string> {
  const { text } = await ask({ ...question(applicationId, 'StartJobRun'), kind: 'rest', body });
  return started.parse(JSON.parse(text)).jobRunId;
}

export async function findJob(ask: AskAws, applicationId: string, id: string): Promise<JobRun> {
  const { text } = await ask({ ...question(applicationId, 'GetJobRun', id), kind: 'get' });
  return found.parse(JSON.parse(text)).jobRun;
}

/** Stops jobs, for functions that do no more than that too. */
export function stopsJobs(ask: AskAws, applicationId: string): Pick<SqlEngine<never>, 'cancel'> {
  return {
    async cancel(id) {
      await ask({ ...question(applicationId, 'CancelJobRun', id), kind: 'delete' });
    },
  };
}

/** Source: docs.aws.amazon.com/emr-serverless/latest/APIReference/API_Operations.html */
function question(applicationId: string, name: string, id?: string) {
  const jobs = `/applications/${applicationId}/jobruns`;
  return {
    service: 'emr-serverless',
    action: `emr-serverless:${name}`,
    resource: `application ${applicationId}`,
    path: id === undefined ? jobs : `${jobs}/${id}`,
  };
}
