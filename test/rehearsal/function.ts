/** A function as its template has it, with the folder of its unzipped code on this machine. */
export type LambdaFunction = {
  readonly name: string;
  /** `<file>.<export>` */
  readonly handler: string;
  readonly taskRoot: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly tmpMb: number;
  /** Calls at once that are set aside for it; null: as many as the account has. */
  readonly reservedConcurrency: number | null;
};

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export function contextOf(fn: LambdaFunction, awsRequestId: string): object {
  return {
    functionName: fn.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${fn.name}`,
    memoryLimitInMB: String(fn.memoryMb),
    awsRequestId,
    logGroupName: `/aws/lambda/${fn.name}`,
    logStreamName: 'rehearsal',
    callbackWaitsForEmptyEventLoop: true,
    traceId: `Root=1-67890abc-${awsRequestId.replaceAll('-', '').slice(0, 24)};Parent=53995c3f42cd8ad8;Sampled=0`,
  };
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
export function variablesOf(
  fn: LambdaFunction,
  tmp: string,
  account: Readonly<Record<string, string>>,
): Record<string, string> {
  // Here nobody calls functions by the API of Lambda.
  const { STRATA_PAGE_FUNCTION: _page, ...variables } = fn.variables;
  return {
    ...variables,
    ...account,
    _HANDLER: fn.handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:9',
    LAMBDA_TASK_ROOT: fn.taskRoot,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TMPDIR: tmp,
    TZ: ':UTC',
  };
}
