import { sdkErrorOf } from '../../adapters/aws/errors.ts';
import type { AskAws } from '../../core/aws-question.ts';
import type { DeploymentNames } from '../../core/deployment-names.ts';
import { InvalidInput } from '../../core/errors.ts';

/** What became of asking for a source to be landed; the function works on when that is answered. */
export type StartedOrigin = { readonly source: string; readonly function: string };

/**
 * Starts the function that lands a source, beside its schedule: of two that overlap one lands what both have. Throws InvalidInput where
 * nothing lands that source, and as `ask` does.
 * Source: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function startOrigin(
  ask: AskAws,
  names: Pick<DeploymentNames, 'origin'>,
  { pipeline, source }: { readonly pipeline: string; readonly source: string },
): Promise<StartedOrigin> {
  const name = names.origin(pipeline, source);
  try {
    await ask({
      ...{ service: 'lambda', action: 'lambda:InvokeFunction', kind: 'rest' },
      path: `/2015-03-31/functions/${name}/invocations`,
      headers: { 'x-amz-invocation-type': 'Event' },
      body: { pipeline },
    });
  } catch (cause) {
    if (!(cause instanceof InvalidInput) || sdkErrorOf(cause.cause).name !== 'ResourceNotFoundException') throw cause;
    throw new InvalidInput(
      `no function ${name}, which would land the source ${source} of pipeline ${pipeline}: give its construct origins: { ${source}: { schedule } }, and deploy`,
      [],
      { cause },
    );
  }
  return { source, function: name };
}
