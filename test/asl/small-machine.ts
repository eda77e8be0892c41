/** The smallest machine with a state of every kind; tests change one field of it. */
export const SMALL = {
  Comment: 'small',
  StartAt: 'Begin',
  States: {
    Begin: {
      Type: 'Task',
      Resource: '${BeginFunctionArn}',
      TimeoutSeconds: 10,
      Retry: [{ ErrorEquals: ['Unavailable'], MaxAttempts: 2 }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Broken' }],
      Next: 'Which',
    },
    Which: {
      Type: 'Choice',
      Choices: [{ Variable: '$.count', NumericGreaterThan: 0, Next: 'Each' }],
      Default: 'Mark',
    },
    Each: {
      Type: 'Map',
      Label: 'Each',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: '${OpsBucket}', 'Key.$': '$.units_key' },
      },
      ItemSelector: { 'unit.$': '$$.Map.Item.Value', 'run.$': '$.run', fixed: [1, { 'name.$': '$.run' }] },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Work',
        States: {
          Work: {
            Type: 'Task',
            Resource: '${WorkFunctionArn}',
            Retry: [{ ErrorEquals: ['Unavailable'], MaxAttempts: 2 }],
            End: true,
          },
        },
      },
      ResultWriter: {
        Resource: 'arn:aws:states:::s3:putObject',
        Parameters: { Bucket: '${OpsBucket}', Prefix: 'results' },
      },
      ResultPath: null,
      MaxConcurrency: 7,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Broken' }],
      Next: 'Mark',
    },
    Mark: {
      Type: 'Pass',
      Parameters: { 'text.$': "States.Format('run {}', $.run)" },
      ResultPath: '$.mark',
      Next: 'Done',
    },
    Done: { Type: 'Succeed' },
    Broken: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
  },
} as const;

/** SMALL with the value at a path such as `States.Begin.Next` replaced, or removed when it is undefined. */
export function changed(path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(SMALL);
  const parts = path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const last = parts.pop();
  let place = copy as Record<PropertyKey, unknown>;
  for (const part of parts) place = place[part] as Record<PropertyKey, unknown>;
  if (value === undefined) delete place[last ?? ''];
  else place[last ?? ''] = value;
  return copy;
}
