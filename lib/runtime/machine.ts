import { readFile } from 'node:fs/promises';

/** What tells one start of this machine from another; '' where the system does not say (outside Linux). */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}
