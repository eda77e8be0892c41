import { InvalidInput } from './errors.ts';
import { RELEASE } from './release.ts';

/**
 * The format of plans that this release writes. It moves on only where an earlier release would misread a new plan, not with a
 * field that it may leave alone. Plans without a number are of the first.
 */
export const PLAN_FORMAT = 1;

/** The formats that this release goes on with. */
const READ: PlanFormats = { oldest: 1, newest: PLAN_FORMAT };

export type PlanFormats = { readonly oldest: number; readonly newest: number };

/** How a plan says what wrote it; releases before the first number said nothing. */
export type WrittenBy = { readonly format?: number; readonly release?: string };

/** What every plan says of itself as it is written. */
export const WRITTEN_BY: Required<WrittenBy> = { format: PLAN_FORMAT, release: RELEASE };

/**
 * The plan, if this release may go on with it. Throws InvalidInput for one of a format that it does not read: it would take for
 * granted what the plan does not say, or leave undone what it says.
 */
export function requireReadable<Plan extends WrittenBy>(
  plan: Plan,
  { pipeline, run_id }: { readonly pipeline: string; readonly run_id: string },
  { oldest, newest }: PlanFormats = READ,
): Plan {
  const { format = 1, release } = plan;
  if (format >= oldest && format <= newest) return plan;
  const formats = oldest === newest ? `format ${newest}` : `formats ${oldest} to ${newest}`;
  const by = release === undefined ? 'another release' : `release ${release}`;
  const cure =
    format > newest
      ? `use ${by} or a later one, here and where the pipeline is deployed`
      : `finish the run with ${by} (npm install @strata-lake/strata@${release ?? '<version>'}; deploy it again, if it is deployed), then come back to this one`;
  throw new InvalidInput(
    `the plan of run ${run_id} of ${pipeline}: got format ${format}, written by ${by}; expected ${formats}, which release ${RELEASE} reads. ` +
      `The plan and what the run has written stay as they are: ${cure}`,
  );
}
