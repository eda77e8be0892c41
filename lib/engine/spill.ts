import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How often a folder is looked at while a statement is at work, in ms. */
const LOOK_MS = 50;

/** Knows how much the databases of a process have spilled at a time. */
export type SpillMeter = {
  /** Looks at the folder of a database while a statement is at work, and once it has ended. */
  during<T>(folder: string, act: () => Promise<T>): Promise<T>;
  /** What a session spilled into the folder is gone. */
  emptied(folder: string): void;
  /** Begins to watch: the answer says the most bytes that there were since, in all folders together. */
  watch(): () => number;
};

/**
 * DuckDB says what a statement has spilled in its profile alone, which the binding does not hand out and a file for each statement would
 * cost too much. So the sizes of its files are looked at: what comes and goes between two looks is not seen.
 */
export function createSpillMeter(): SpillMeter {
  const sizes = new Map<string, number>();
  // Only the totals that no later one has reached: the first of them since a moment is the most since then.
  const peaks: { readonly at: number; readonly bytes: number }[] = [];
  let looks = 0;
  const note = (folder: string, bytes: number): void => {
    sizes.set(folder, bytes);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    while ((peaks.at(-1)?.bytes ?? Number.POSITIVE_INFINITY) <= total) peaks.pop();
    peaks.push({ at: looks, bytes: total });
    looks += 1;
  };
  return {
    async during(folder, act) {
      const look = (): void => note(folder, bytesIn(folder));
      const timer = setInterval(look, LOOK_MS);
      try {
        return await act();
      } finally {
        clearInterval(timer);
        look();
      }
    },
    emptied(folder) {
      note(folder, 0);
      sizes.delete(folder);
    },
    watch() {
      const from = looks;
      return () => peaks.find(({ at }) => at >= from)?.bytes ?? 0;
    },
  };
}

/** DuckDB makes its folder when it first spills, and removes files while they are listed. No statement fails of a look at them. */
function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  try {
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
