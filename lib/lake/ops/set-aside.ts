import type { NamedFile, SetAsideFile } from '../../core/run.ts';

/** The suspended ones of some files, as people are told of them. */
export function nameSuspended(files: readonly SetAsideFile[]): readonly NamedFile[] {
  const suspended = files.filter(({ status }) => status === 'suspended');
  const named = suspended.map(({ source, file, code, reason }) => ({
    source,
    file: file.key,
    reason: `${code}: ${reason}`,
  }));
  return [...new Map(named.map((one) => [JSON.stringify(one), one])).values()];
}
