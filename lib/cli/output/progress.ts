import { MultiBar, type SingleBar } from 'cli-progress';
import { visibleText } from '../../core/visible.ts';
import type { ErrorStream } from '../terminal.ts';
import { formatCount, formatDuration } from './human.ts';
import type { LineSink } from './log.ts';

/**
 * Steps of a run by name. `step` starts one, or gives it a new total; `tick` counts finished parts; `done` ends it
 * after `ms` milliseconds; `close` ends the display, also for steps that never finished, and may be called twice.
 * `lines` prints text without disturbing the bars.
 */
export type Progress = {
  step(name: string, total?: number): void;
  tick(name: string, parts?: number): void;
  done(name: string, ms: number): void;
  close(): void;
  readonly lines: LineSink;
};

/** Bars on a terminal, plain lines elsewhere. */
export function createProgress(stream: ErrorStream): Progress {
  return stream.isTTY ? createBars(stream) : createLines(stream);
}

type Count = { finished: number; total: number | undefined };

function createLines(stream: ErrorStream): Progress {
  const counts = new Map<string, Count>();
  return {
    step(name, total) {
      counts.set(name, { finished: counts.get(name)?.finished ?? 0, total });
      stream.write(`${name}: ${total === undefined ? 'started' : `${formatCount(total)} to do`}\n`);
    },
    tick(name, parts = 1) {
      advance(counts, name, parts);
    },
    done(name, ms) {
      stream.write(doneLine(name, counts.get(name), ms));
      counts.delete(name);
    },
    close() {},
    lines: { write: (text) => stream.write(text) },
  };
}

function createBars(stream: ErrorStream): Progress {
  const counts = new Map<string, Count>();
  const bars = new Map<string, SingleBar>();
  let closed = false;
  const display = openDisplay(stream.display);
  const log = (text: string) => {
    if (closed) {
      stream.write(text);
      return;
    }
    display.log(visibleText(text));
    // Without a bar nothing else would print it.
    display.update();
  };
  return {
    step(name, total) {
      if (closed) return;
      const count = { finished: counts.get(name)?.finished ?? 0, total };
      counts.set(name, count);
      const goal = total === undefined ? '?' : formatCount(total);
      const bar = bars.get(name) ?? display.create(total ?? 0, count.finished, { name, goal });
      bars.set(name, bar);
      bar.setTotal(total ?? 0);
      bar.update(count.finished, { name, goal });
    },
    tick(name, parts = 1) {
      advance(counts, name, parts);
      bars.get(name)?.increment(parts);
    },
    done(name, ms) {
      const bar = bars.get(name);
      const line = doneLine(name, counts.get(name), ms);
      if (bar === undefined || closed) log(line);
      else {
        // Removing redraws: the line and the end of its bar in one go, or the bar would stay on the screen.
        display.log(line);
        display.remove(bar);
      }
      bars.delete(name);
      counts.delete(name);
    },
    close() {
      if (closed) return;
      closed = true;
      display.update();
      display.stop();
    },
    lines: { write: log },
  };
}

function openDisplay(stream: NodeJS.WritableStream): MultiBar {
  return new MultiBar({
    stream,
    format: '{name} {bar} {value}/{goal}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Its own signal handler would swallow Ctrl-C; without that handler, a hidden cursor would stay hidden.
    gracefulExit: false,
    hideCursor: false,
    linewrap: true,
    emptyOnZero: true,
    clearOnComplete: true,
  });
}

function advance(counts: Map<string, Count>, name: string, parts: number): void {
  const count = counts.get(name);
  if (count !== undefined) count.finished += parts;
}

function doneLine(name: string, count: Count | undefined, ms: number): string {
  if (count?.total === undefined) return `${name}: done in ${formatDuration(ms)}\n`;
  return `${name}: ${formatCount(count.finished)} of ${formatCount(count.total)} in ${formatDuration(ms)}\n`;
}
