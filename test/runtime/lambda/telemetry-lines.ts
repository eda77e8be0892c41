import type { Context } from 'aws-lambda';

/** What Lambda hands to a handler besides the event, as far as ours look at it. */
export const CONTEXT = {
  functionName: 'strata-shop-Stage',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:strata-shop-Stage',
  memoryLimitInMB: '3008',
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 900_000,
  callbackWaitsForEmptyEventLoop: true,
} as unknown as Context;

export type Line = Readonly<Record<string, unknown>>;

/** Runs something and gives the JSON lines that it wrote to stdout and stderr, in place of writing them. */
export async function linesOf<T>(
  act: () => Promise<T>,
): Promise<{ readonly lines: readonly Line[]; readonly answer: T }> {
  const text: string[] = [];
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream) => stream.write);
  for (const [at, stream] of streams.entries()) {
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      const written = typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
      // What the test runner reports goes where it went.
      if (!written.startsWith('{')) return Reflect.apply(writes[at] as typeof stream.write, stream, [chunk, ...rest]);
      text.push(written);
      const done = rest.at(-1);
      if (typeof done === 'function') done();
      return true;
    }) as typeof stream.write;
  }
  try {
    const answer = await act();
    const lines = text
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('{'));
    return { lines: lines.map((line) => JSON.parse(line) as Line), answer };
  } finally {
    for (const [at, stream] of streams.entries()) stream.write = writes[at] as typeof stream.write;
  }
}
