import { pad, textWidth, truncate } from './text-width.ts';

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers are read more easily aligned right. */
  readonly align?: 'left' | 'right';
  /** Whether its cells may be cut when the table is too wide; when none may, the last column is. */
  readonly cuttable?: boolean;
}

export interface TableOptions {
  /** Width of the whole, in columns of the terminal; 80 when left out. */
  readonly widthMax?: number;
  /** Dresses the line of titles, which is already padded; as it is when left out. */
  readonly paintTitles?: (line: string) => string;
}

const GAP = '  ';
const CUT_WIDTH_MIN = 4;

/**
 * Draws a table as lines: titles, then rows, columns two spaces apart, no line wider than allowed.
 *
 * @param rows cells in the order of the columns; a missing cell is empty; cells may hold colours
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  columns: readonly Column[],
  options: TableOptions = {},
): string[] {
  const widthMax = options.widthMax ?? 80;
  const widths = columnWidths(rows, columns, widthMax);
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        return pad(truncate(cells[index] ?? '', width), width, column.align);
      })
      .join(GAP)
      .trimEnd();
  const paintTitles = options.paintTitles ?? ((titles: string) => titles);
  const titles = paintTitles(line(columns.map((column) => column.title)));
  return [titles, ...rows.map(line)].map((text) => truncate(text, widthMax));
}

/** As wide as the widest cell; where that is too much, the widest of the columns that may be cut gives way first. */
function columnWidths(
  rows: readonly (readonly string[])[],
  columns: readonly Column[],
  widthMax: number,
): number[] {
  const widths = columns.map((column, index) =>
    rows.reduce((width, row) => Math.max(width, textWidth(row[index] ?? '')), textWidth(column.title)),
  );
  const cuttable = columns.flatMap((column, index) => (column.cuttable === true ? [index] : []));
  const candidates = cuttable.length > 0 ? cuttable : [columns.length - 1];
  let excess = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - widthMax;
  while (excess > 0) {
    const widest = candidates.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
    const width = widths[widest] ?? 0;
    if (width <= CUT_WIDTH_MIN) break;
    widths[widest] = width - 1;
    excess -= 1;
  }
  return widths;
}
