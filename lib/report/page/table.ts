import { type Html, html } from './html.ts';

/** `prose`: sentences, which need room. */
export type Column = { readonly name: string; readonly numeric?: boolean; readonly prose?: true };

/** A row's first cell names it. */
export type Cell = string | Html;

export type Table = {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Ids of rows, for links. */
  readonly ids?: readonly string[];
  /** Where there are no rows. */
  readonly empty?: string;
};

/** A table that moves sideways on a narrow screen, by keys too. */
export function renderTable({ caption, columns, rows, ids, empty = 'none' }: Table): Html {
  if (rows.length === 0)
    return html`<p class="none">${caption}: ${empty}</p>
`;
  const head = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.name}</th>`);
  const body = rows.map((row, at) => {
    const id = ids?.[at];
    const cells = row.map((cell, of) =>
      of === 0 ? html`<th scope="row">${cell}</th>` : html`<td${classOf(columns[of])}>${cell}</td>`,
    );
    return html`<tr${id === undefined ? null : html` id="${id}"`}>${cells}</tr>
`;
  });
  return html`<div class="wide" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>
`;
}

function classOf(column: Column | undefined): Html | null {
  if (column?.prose === true) return html` class="prose"`;
  return column?.numeric === true ? html` class="n"` : null;
}
