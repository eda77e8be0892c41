/**
 * What a table's rows were made by, as the table remembers it: every part of the pipeline that decides about them, hashed
 * apart, so that a change says what it is a change of.
 */
export type MadeBy = {
  /** The release of Strata that wrote it. */
  readonly release: string;
  /** Names and types of the columns, in their order. */
  readonly columns: string;
  readonly sql: string;
  /** The SQL as it was written; another release may compile it differently. */
  readonly written: string;
  /** Without the key, and without how merges write. */
  readonly mode: string;
  /** Present: data files stay where a merge takes rows out of them. */
  readonly write?: 'merge-on-read' | undefined;
  readonly key: string;
  /** Whether the rows follow from a log of events. */
  readonly keyed: boolean;
  readonly partitioning: string;
  /** How text becomes values, and which rows are rejected for them, by the name of the source's column; null for gold. */
  readonly contract: Readonly<Record<string, ContractMade>> | null;
  /** How the source's files are read; null for gold. */
  readonly format: string | null;
  /** Expectations that reject rows. */
  readonly rules: string;
  /**
   * Each of the other expectations by its name: what has been asked of all rows that are there. Undefined where a release did
   * not remember it.
   */
  readonly checks?: Readonly<Record<string, string>> | undefined;
};

/** A column of the contract: its type, as pipelines write it, a hash of the rest, and whether files may lack it for a default. */
export type ContractMade = { readonly type: string; readonly rest: string; readonly filled?: true };

/** The parts that are one hash each. */
export const MADE_PARTS = ['columns', 'sql', 'mode', 'key', 'partitioning', 'format', 'rules'] as const;
export type MadePart = (typeof MADE_PARTS)[number] | 'contract';
