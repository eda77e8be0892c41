import { ownName } from './quote.ts';

/** Names that the statements of a batch share. */

/** The contract's columns as values, a row for each well-formed record; a view where the batch streams. */
export const PARSED = ownName('__parsed');
/** Whether a parsed row passes every check. */
export const OK = ownName('__ok');
export const HASH = ownName('__hash');
export const KEY = ownName('__key');
/** Of a parsed row that does not pass: `{path, raw, row_hash, business_key, issues}`, as the quarantine keeps it. */
export const FAILED_ROW = ownName('__failed_row');
/**
 * The hidden row number of a batch, the last column of `batch.<source>`: a BIGINT when the pipeline is compiled, and at run
 * time where nothing is carried with it.
 */
export const RID = ownName('__rid');

/** `rid`: parsed rows whose hash came before. */
export const DUPLICATES = ownName('__duplicates');
/**
 * `rid`, `issues`, `status`, `own`: parsed rows that are rejected although they pass the checks, or whatever these say;
 * `own`: for this table alone, and not by the contract. What else is rejected fails a check, or is no row at all.
 */
export const REJECTED = ownName('__rejected');
/** What the quarantine remembers of the source for the table; `own`: for that table alone. */
export const MEMORY = ownName('__memory');
/** `rid`, `rejections`: how often a row's key was rejected before it came; `shared`: of these, for all tables of the source. */
export const ATTEMPTS = ownName('__attempts');

/** What the model's SQL makes of the accepted rows. */
export const MAPPED = ownName('__mapped');
/** In guarded sessions: the columns of a mapped row that raised. */
export const RAISED = ownName('__raised');
/** `rid`: mapped rows whose key came before. */
export const KEY_DUPLICATES = ownName('__key_duplicates');

/** Of the second read, in which rejected records are found again: well-formed ones, and those that scans refused. */
export const FAILED = ownName('__failed');
export const MALFORMED = ownName('__malformed');
/** Records that the engine cannot take, which scans leave out. */
export const POISONED = ownName('__poisoned');
/** Where the line of a record does not follow from that of the record before. */
export const SHIFTS = ownName('__shifts');
/** The rows for the quarantine table. */
export const QUARANTINE = ownName('__quarantine');
