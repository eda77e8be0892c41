// One execution environment of a function, as Lambda's runtime for Node runs it: loads the handler once, then answers
// one event after another. An error is answered as Lambda reports it, by name and message.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [file, name] = process.env._HANDLER.split('.');
const module = await import(pathToFileURL(join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`)).href);
const handler = module[name];
if (typeof handler !== 'function') throw new Error(`${process.env._HANDLER} is no function`);

process.on('message', async ({ event, requestId, deadline }) => {
  const context = {
    awsRequestId: requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    invokedFunctionArn: process.env.STRATA_REHEARSED_ARN,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    // Through JSON both ways, as on AWS.
    const answer = await handler(JSON.parse(event), context);
    process.send({ answer: JSON.stringify(answer ?? null) });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    process.send({ error: { errorType: error.name, errorMessage: error.message } });
  }
});
process.send({ ready: true });
