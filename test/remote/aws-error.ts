/** An error as an SDK client throws it: by name, with the status of the answer (0: there was none). */
export function awsError(name: string, httpStatusCode: number, message: string): Error {
  const $metadata = httpStatusCode === 0 ? {} : { httpStatusCode, attempts: 1 };
  return Object.assign(new Error(message), { name, $fault: httpStatusCode < 500 ? 'client' : 'server', $metadata });
}
