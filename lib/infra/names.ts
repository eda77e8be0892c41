import { InvalidInput, type Problem } from '../core/errors.ts';

/** The longest names that AWS takes. Source: the service quotas of Lambda, Step Functions, IAM and S3. */
const LONGEST_FUNCTION = 64;
const LONGEST_STATE_MACHINE = 80;
const LONGEST_STAGE = 20;

/** Names of what is deployed; two stages of one app share an account because each name carries the stage. */
export type Names = {
  /** '' for the default stage. */
  readonly stage: string;
  /** Before the name of every Glue database: '' or `<stage>_`. */
  readonly databasePrefix: string;
  readonly lakeStack: string;
  readonly workgroup: string;
  pipelineStack(pipeline: string): string;
  stateMachine(pipeline: string): string;
  /** `step` in the words of its folder: `plan-stage`. */
  lambda(pipeline: string, step: string): string;
  /** By which metrics and logs tell pipelines and stages apart. */
  service(pipeline: string): string;
};

/** Throws InvalidInput for a stage that cannot be part of a name. */
export function namesOf(stage: string | undefined): Names {
  if (stage !== undefined && (!/^[a-z][a-z0-9]*$/.test(stage) || stage.length > LONGEST_STAGE)) {
    throw new InvalidInput(
      `context stage: got ${JSON.stringify(stage)}; expected at most ${LONGEST_STAGE} lower case letters and digits, such as dev`,
    );
  }
  const base = stage === undefined ? 'strata' : `strata-${stage}`;
  const databasePrefix = stage === undefined ? '' : `${stage}_`;
  const own = (pipeline: string): string => `${base}-${pipeline.replaceAll('_', '-')}`;
  return {
    stage: stage ?? '',
    databasePrefix,
    lakeStack: `${base}-lake`,
    workgroup: base,
    pipelineStack: own,
    stateMachine: own,
    lambda: (pipeline, step) => `${own(pipeline)}-${step}`,
    service: (pipeline) => `${databasePrefix}${pipeline}`,
  };
}

/** Throws InvalidInput with every name that AWS would refuse, before anything is deployed. */
export function checkNames(names: Names, pipelines: readonly string[], steps: readonly string[]): void {
  const problems: Problem[] = [];
  const check = (pipeline: string, place: string, name: string, longest: number): void => {
    if (name.length <= longest) return;
    const got = `${name}, ${name.length} characters`;
    const expected = `at most ${longest}: shorten the name of the pipeline's folder or the stage`;
    problems.push({ file: `pipelines/${pipeline}/pipeline.ts`, place, got, expected });
  };
  const stacks = new Map<string, string>([[names.lakeStack, 'the lake']]);
  for (const pipeline of pipelines) {
    const stack = names.pipelineStack(pipeline);
    const other = stacks.get(stack);
    if (other !== undefined) {
      const expected = `a name that differs from that of ${other} in more than _ and -`;
      problems.push({ file: `pipelines/${pipeline}/pipeline.ts`, place: 'stack', got: stack, expected });
    }
    stacks.set(stack, `pipeline ${pipeline}`);
    check(pipeline, 'state machine', names.stateMachine(pipeline), LONGEST_STATE_MACHINE);
    for (const step of steps) check(pipeline, `function ${step}`, names.lambda(pipeline, step), LONGEST_FUNCTION);
  }
  if (problems.length > 0) throw new InvalidInput('these pipelines cannot be deployed under their names:', problems);
}
