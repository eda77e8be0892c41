import type { ModelPlan } from '../core/run.ts';
import type { PipelineSettings } from '../core/spec.ts';

/** Units that one call does one after the other: as many as may work side by side by default. */
export const MOST_UNITS = 10;

/** A call begins nothing more after so many milliseconds; what it has begun may take what is left of its time. */
export const LONGEST_BEGINNING_MS = 60_000;

/** Whether one call may stage all units of a level: few, and of no more bytes than one unit may have. */
export function fitsOneCall(
  models: readonly Pick<ModelPlan, 'units' | 'bytes' | 'contract' | 'ladder'>[],
  { unitBytes }: Pick<PipelineSettings, 'unitBytes'>,
): boolean {
  // What is more than one worker takes is for several.
  if (models.some(({ ladder }) => ladder !== undefined)) return false;
  const units = models.reduce((sum, model) => sum + model.units.length, 0);
  // What gold reads shows when it is read; silver of a plan of an earlier release does not say what it has.
  const bytes = models.map((model) => model.bytes ?? (model.contract === null ? 0 : Number.POSITIVE_INFINITY));
  return isForOneCall(
    units,
    bytes.reduce((sum, one) => sum + one, 0),
    { unitBytes },
  );
}

/** The same for units of so many bytes of input. */
export function isForOneCall(
  units: number,
  bytes: number,
  { unitBytes }: Pick<PipelineSettings, 'unitBytes'>,
): boolean {
  return units <= MOST_UNITS && bytes <= unitBytes;
}
