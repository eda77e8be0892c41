import { CommitConflict, CommitStateUnknown, InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { brokenConnection, type GlueTrouble, glueError } from './glue-fake.ts';

export type Case = {
  readonly why: string;
  readonly swap: 'CreateTable' | 'UpdateTable';
  /** What happens at the swap; `other` commits as another writer does. */
  readonly trouble: (other: Other) => readonly Omit<GlueTrouble, 'operation'>[];
  /** The class that the commit ends in; none when it is committed. */
  readonly error?: new (
    ...args: never[]
  ) => Error;
  readonly says?: RegExp;
  /** Whether the commit's metadata file is there afterwards. */
  readonly file: boolean;
};

/** What other writers do meanwhile. */
export type Other = {
  /** Commits on this commit or instead of it; a forgetful one leaves out the metadata log. */
  readonly commits: (kind: 'on-top' | 'instead' | 'instead-and-forgetful') => void;
  /** Makes a table of that name that is not an Iceberg table. */
  readonly makes: () => void;
  /** Changes the Glue table, not its metadata. */
  readonly touches: () => void;
  readonly drops: () => void;
};

export const CONFLICT = glueError('ConcurrentModificationException');
const EXISTS = glueError('AlreadyExistsException');
export const THROTTLED = glueError('ThrottlingException');
export const TIMEOUT = glueError('OperationTimeoutException');
const ASKED_TWICE = glueError('ConcurrentModificationException', 400, 2);
const DENIED = glueError('AccessDeniedException');

/** How Glue may answer the one request of a commit that publishes it, and what the commit has to make of it. */
export const CASES: readonly Case[] = [
  {
    why: 'throttled three times',
    swap: 'UpdateTable',
    trouble: () => [{ from: 1, to: 3, error: THROTTLED }],
    file: true,
  },
  {
    why: 'throttled for longer than a minute',
    swap: 'UpdateTable',
    trouble: () => [{ from: 1, to: 999, error: THROTTLED }],
    error: Unavailable,
    says: /glue:UpdateTable.*p_silver\.t/,
    file: false,
  },
  {
    why: 'not ready for the creation at first',
    swap: 'CreateTable',
    trouble: () => [{ from: 1, error: glueError('ResourceNotReadyException') }],
    file: true,
  },
  {
    why: 'unaware of a new database at first',
    swap: 'CreateTable',
    trouble: () => [{ from: 1, to: 2, error: glueError('EntityNotFoundException') }],
    file: true,
  },
  {
    why: 'beaten by another commit',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [{ from: 1, error: CONFLICT, meanwhile: () => commits('instead') }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'beaten by another creation',
    swap: 'CreateTable',
    trouble: ({ commits }) => [{ from: 1, error: EXISTS, meanwhile: () => commits('instead') }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'told of a version mismatch',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [
      { from: 1, error: glueError('VersionMismatchException'), meanwhile: () => commits('instead') },
    ],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'hindered by a change that left the metadata alone',
    swap: 'UpdateTable',
    trouble: ({ touches }) => [{ from: 1, error: CONFLICT, meanwhile: touches }],
    file: true,
  },
  {
    why: 'hindered by one operation after the other for longer than a minute',
    swap: 'UpdateTable',
    trouble: () => [{ from: 1, to: 999, error: CONFLICT }],
    error: Unavailable,
    file: false,
  },
  {
    why: 'left without its table',
    swap: 'UpdateTable',
    trouble: ({ drops }) => [{ from: 1, error: glueError('EntityNotFoundException'), meanwhile: drops }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'denied',
    swap: 'UpdateTable',
    trouble: () => [{ from: 1, error: DENIED }],
    error: InvalidInput,
    says: /glue:UpdateTable/,
    file: false,
  },
  {
    why: 'denied the creation',
    swap: 'CreateTable',
    trouble: () => [{ from: 1, error: DENIED }],
    error: InvalidInput,
    says: /glue:CreateTable/,
    file: false,
  },
  ...[TIMEOUT, glueError('InternalServiceException', 500), glueError('Whatever', 503), brokenConnection()].flatMap(
    (error): readonly Case[] => [
      {
        why: `done, but answered ${error.message}`,
        swap: 'UpdateTable',
        trouble: () => [{ from: 1, when: 'after', error }],
        file: true,
      },
      {
        why: `made, but answered ${error.message}`,
        swap: 'CreateTable',
        trouble: () => [{ from: 1, when: 'after', error }],
        file: true,
      },
      {
        why: `not done and answered ${error.message} once`,
        swap: 'UpdateTable',
        trouble: () => [{ from: 1, error }],
        file: true,
      },
      {
        why: `not done and answered ${error.message} for longer than a minute`,
        swap: 'UpdateTable',
        trouble: () => [{ from: 1, to: 999, error }],
        error: CommitStateUnknown,
        file: true,
      },
    ],
  ),
  {
    why: 'done without an answer, so that the SDK asked again and was told of a conflict with itself',
    swap: 'UpdateTable',
    trouble: () => [{ from: 1, when: 'after', error: ASKED_TWICE }],
    file: true,
  },
  {
    why: 'told of a conflict when the SDK asked again, while the table went to metadata that remembers nothing',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [{ from: 1, error: ASKED_TWICE, meanwhile: () => commits('instead-and-forgetful') }],
    error: CommitStateUnknown,
    file: true,
  },
  {
    why: 'beaten by the creation of a table of another kind',
    swap: 'CreateTable',
    trouble: ({ makes }) => [{ from: 1, error: EXISTS, meanwhile: makes }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'done without an answer and built upon by another',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [{ from: 1, when: 'after', error: TIMEOUT, meanwhile: () => commits('on-top') }],
    file: true,
  },
  {
    why: 'not answered, while another committed on the base',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [{ from: 1, error: TIMEOUT, meanwhile: () => commits('instead') }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'not answered, while another created the table',
    swap: 'CreateTable',
    trouble: ({ commits }) => [{ from: 1, error: TIMEOUT, meanwhile: () => commits('instead') }],
    error: CommitConflict,
    file: false,
  },
  {
    why: 'not answered, while the table went to metadata that remembers neither the base nor this commit',
    swap: 'UpdateTable',
    trouble: ({ commits }) => [{ from: 1, error: TIMEOUT, meanwhile: () => commits('instead-and-forgetful') }],
    error: CommitStateUnknown,
    file: true,
  },
  {
    why: 'not answered, and then the table was dropped',
    swap: 'UpdateTable',
    trouble: ({ drops }) => [{ from: 1, error: TIMEOUT, meanwhile: drops }],
    error: CommitStateUnknown,
    file: true,
  },
  {
    why: 'not answered and then denied',
    swap: 'UpdateTable',
    trouble: () => [
      { from: 1, error: TIMEOUT },
      { from: 2, error: DENIED },
    ],
    error: CommitStateUnknown,
    file: true,
  },
];
