/** Bytes of each. */
const LENT_BYTES = 1024 * 1024;
/** At most so many wait to be lent again. */
const MOST_IDLE = 8;
const idle: Buffer[] = [];

/**
 * A buffer of a mebibyte for as long as `use` takes, after which another has it. To read a file through new ones has V8 look through
 * all that the process holds for every 32 MB that are read, which takes longer than to read them.
 */
export async function withBuffer<T>(use: (buffer: Buffer) => Promise<T>): Promise<T> {
  const buffer = idle.pop() ?? Buffer.allocUnsafeSlow(LENT_BYTES);
  try {
    return await use(buffer);
  } finally {
    if (idle.length < MOST_IDLE) idle.push(buffer);
  }
}
