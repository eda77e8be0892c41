import type { StateEvent } from '../asl/state-event.ts';
import type { Progress } from './output/progress.ts';

/**
 * Turns what happens in the state machine into steps of a progress display: one per map of units with its level, and
 * the states that take time of their own. `live`: steps show while they run; elsewhere only units are announced.
 */
export function followRun(progress: Progress, live: boolean): (event: StateEvent) => void {
  let level = 0;
  const busy = new Set<string>();
  const named = (state: string): string | undefined => {
    const name = NAMES[state];
    return name?.includes('level') ? `${name} ${level}` : name;
  };
  return (event) => {
    if (event.kind === 'started' && event.state === 'PlanStage') level += 1;
    const map = MAP_OF[event.state];
    if (map !== undefined) {
      const mapName = named(map);
      if (event.kind === 'succeeded' && mapName !== undefined) progress.tick(mapName);
      return;
    }
    const name = named(event.state);
    if (name === undefined) return;
    switch (event.kind) {
      case 'started':
        if (live && !event.state.endsWith('Map')) progress.step(name);
        return;
      case 'items':
        if (event.count === 0) return;
        busy.add(name);
        progress.step(name, event.count);
        return;
      case 'succeeded':
      case 'failed':
        if (!event.state.endsWith('Map') || busy.has(name)) progress.done(name, event.durationMs);
    }
  };
}

const NAMES: Readonly<Record<string, string>> = {
  Open: 'plan',
  StageMap: 'stage level',
  MergeMap: 'merge level',
  Audit: 'audit level',
  Commit: 'publish',
  Serve: 'serve',
  RewriteMap: 'rewrite',
  CommitRewrite: 'publish',
  Sweep: 'forget and remove',
};

/** The map that a unit's state belongs to. */
const MAP_OF: Readonly<Record<string, string>> = { Stage: 'StageMap', Merge: 'MergeMap', Rewrite: 'RewriteMap' };
