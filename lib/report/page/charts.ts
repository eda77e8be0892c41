import { type Html, html, type Part } from './html.ts';
import { type Column, renderTable } from './table.ts';

/** Figures over some labels, such as days; null: there is none. */
export type Series = { readonly name: string; readonly values: readonly (number | null)[] };

export type Chart = {
  /** Of the page, unique. */
  readonly id: string;
  readonly title: string;
  /** What is along the labels: `day`. */
  readonly along: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
};

const WIDTH = 640;
/** Right of the last value: half of its label has room there. */
const RIGHT = 40;
const HEIGHT = 200;
const LEFT = 70;
const BOTTOM = 24;
const TOP = 10;
const BAR = 18;
const NAME = 220;
/** Of a style; a seventh series looks like the first. */
const STYLES = 6;

/** Lines over labels in their order, with their values as a table. */
export function renderLines(chart: Chart): Html {
  const { series, labels } = chart;
  const most = highest(series.map(({ values }) => values));
  const x = (at: number): number => place(LEFT, WIDTH - RIGHT, labels.length < 2 ? 0.5 : at / (labels.length - 1));
  const lines = series.map(({ values }, of) => {
    const points = values.flatMap((value, at) => (value === null ? [] : [{ at, y: heightOf(value, most) }]));
    const path = points.map(({ at, y }, n) => `${n === 0 ? 'M' : 'L'}${round(x(at))} ${round(y)}`).join('');
    const dots = points.map(({ at, y }) => html`<circle cx="${round(x(at))}" cy="${round(y)}" r="2.5"/>`);
    return html`<g class="s${of % STYLES}"><path class="line" d="${path}"/>${labels.length > 60 ? null : dots}</g>`;
  });
  return figure(chart, HEIGHT, [axes(chart, most, x), lines]);
}

/** Bars that stand on each other, one for each label. */
export function renderStacks(chart: Chart): Html {
  const { series, labels } = chart;
  const sums = labels.map((_, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
  const most = highest([sums]);
  const step = (WIDTH - RIGHT - LEFT) / Math.max(1, labels.length);
  const x = (at: number): number => LEFT + step * (at + 0.5);
  const bars = labels.map((_, at) => {
    let below = 0;
    return series.map(({ values }, of) => {
      const [low, high] = [heightOf(below, most), heightOf(below + (values[at] ?? 0), most)];
      below += values[at] ?? 0;
      if (low - high < 0.05) return null;
      const left = round(x(at) - step * 0.4);
      return html`<rect class="s${of % STYLES}" x="${left}" y="${round(high)}" width="${round(step * 0.8)}" height="${round(low - high)}"/>`;
    });
  });
  return figure(chart, HEIGHT, [axes(chart, most, x), bars]);
}

/** Bars that lie under each other: a group for each label, with its name beside it. */
export function renderBars(chart: Chart): Html {
  const { series, labels, format } = chart;
  const most = highest(series.map(({ values }) => values));
  const group = BAR * series.length + 6;
  const bars = labels.map((label, at) => {
    const rows = series.map(({ values }, of) => {
      const value = values[at] ?? null;
      if (value === null) return null;
      const width = place(0, WIDTH - NAME - 90, most === 0 ? 0 : value / most);
      const y = at * group + of * BAR;
      return html`<rect class="s${of % STYLES}" x="${NAME}" y="${y}" width="${round(width)}" height="${BAR - 4}"/>
<text x="${round(NAME + width + 6)}" y="${y + BAR - 7}">${format(value)}</text>`;
    });
    return html`<text class="name" x="${NAME - 8}" y="${at * group + BAR - 7}">${shorten(label)}</text>${rows}`;
  });
  return figure(chart, Math.max(group, labels.length * group), bars);
}

/** A picture with its title, what its colours mean, and what it shows as a table. */
function figure(chart: Chart, height: number, content: Part): Html {
  const { id, title, series } = chart;
  const about = `${title}: ${series.map(({ name }) => name).join(', ')}. The table below has the values.`;
  const legend = series.map(({ name }, of) => html`<li><span class="key s${of % STYLES}"></span>${name}</li>`);
  return html`<figure id="${id}"><figcaption>${title}</figcaption>
<div class="wide" role="region" tabindex="0" aria-label="${title}"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${about}">${content}</svg></div>
<ul class="legend">${legend}</ul>
<details><summary>The values of this chart</summary>${tableOf(chart)}</details></figure>
`;
}

function tableOf({ title, along, labels, series, format }: Chart): Html {
  const columns: readonly Column[] = [{ name: along }, ...series.map(({ name }) => ({ name, numeric: true }))];
  const rows = labels.map((label, at) => [
    label,
    ...series.map(({ values }) => {
      const value = values[at] ?? null;
      return value === null ? '-' : format(value);
    }),
  ]);
  return renderTable({ caption: title, columns, rows });
}

/** Lines at nothing, half and all of the highest, and some labels. */
function axes({ labels, format }: Chart, most: number, x: (at: number) => number): Html {
  const marks = [0, 0.5, 1].map((share) => {
    const y = round(heightOf(most * share, most));
    return html`<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text class="name" x="${LEFT - 6}" y="${y + 4}">${format(most * share)}</text>`;
  });
  const every = Math.max(1, Math.ceil(labels.length / 6));
  const names = labels.map((label, at) =>
    at % every === 0 ? html`<text class="label" x="${round(x(at))}" y="${HEIGHT - 6}">${label}</text>` : null,
  );
  return html`${marks}${names}`;
}

function heightOf(value: number, most: number): number {
  return place(HEIGHT - BOTTOM, TOP, most === 0 ? 0 : value / most);
}

function place(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function highest(values: readonly (readonly (number | null)[])[]): number {
  return values.flat().reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function shorten(name: string): string {
  const letters = [...name];
  return letters.length > 32 ? `${letters.slice(0, 31).join('')}…` : name;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
