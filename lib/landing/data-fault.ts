const LONGEST_REASON = 500;

/** What the engine said, as a reason in one line: how it was said decides nothing. */
export function engineReason(cause: Error): string {
  const line = cause.message.split('\n').find((one) => one.trim() !== '') ?? 'no message';
  // The engine quotes what stands in files, and names a file by where its copy lies.
  return line
    .replaceAll(/"\/[^"]*\/([^"/]+)"/g, '"$1"')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, LONGEST_REASON);
}
