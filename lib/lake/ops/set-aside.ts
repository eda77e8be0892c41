import type { NamedFile, SetAsideFile } from '../../core/run.ts';
import type { Row } from '../../ports.ts';

/** What the ledger says of a file that was set aside, without the file. */
export type SetAside = Omit<SetAsideFile, 'file'>;

export function parseSetAside(row: Row): SetAside {
  const text = (name: string): string => String(row[name] ?? '');
  return {
    source: text('source'),
    status: row['status'] === 'suspended' ? 'suspended' : 'rejected',
    code: text('code'),
    reason: text('reason'),
    run_id: text('run_id'),
    at: text('at'),
  };
}

/** The suspended ones of some files, as people are told of them. */
export function nameSuspended(files: readonly SetAsideFile[]): readonly NamedFile[] {
  return files
    .filter(({ status }) => status === 'suspended')
    .map(({ source, file, code, reason }) => ({ source, file: file.key, reason: `${code}: ${reason}` }));
}
