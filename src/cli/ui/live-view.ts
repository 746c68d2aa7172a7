import { textWidth, truncate } from './text-width.ts';

/** What a view needs of `process.stdout` or `process.stderr`. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Width in columns and height in rows, of a terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Lines that are kept up to date. */
export interface LiveView {
  /** Shows these lines in place of those before: on a terminal by drawing over them, elsewhere by writing those that changed. */
  render(lines: readonly string[]): void;
  /** Writes a line that stays, above those that are kept up to date. */
  note(line: string): void;
  /** Ends the view; what was shown last stays. */
  done(): void;
}

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/** Columns to draw in: those of the terminal, or 80. */
export function screenColumns(screen: Screen): number {
  return screen.columns !== undefined && screen.columns > 0 ? screen.columns : COLUMNS_DEFAULT;
}

/**
 * Starts a view. It never writes on its own: nothing appears before the first `render`.
 *
 * @param screen where it is shown
 */
export function liveView(screen: Screen): LiveView {
  return screen.isTTY === true ? terminalView(screen) : plainView(screen);
}

function terminalView(screen: Screen): LiveView {
  let shown: readonly string[] = [];
  const draw = (lines: readonly string[], above: string): void => {
    if (lines.length === 0 && shown.length === 0 && above === '') return;
    const columns = screenColumns(screen);
    // A terminal made narrower since has wrapped what it shows, so count rows at the width it has now.
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
    const up = rows > 0 ? `\u001b[${rows}A` : '';
    shown = fitScreen(lines, columns, screen.rows ?? ROWS_DEFAULT);
    // One write a frame: a terminal shows no half-drawn one.
    screen.write(`${up}\r\u001b[J${above}${shown.map((line) => `${line}\n`).join('')}`);
  };
  return {
    render: (lines) => draw(lines, ''),
    note: (line) => draw(shown, `${line}\n`),
    done: () => {
      shown = [];
    },
  };
}

/** Cuts lines to the width; rows beyond the height would scroll away, where no cursor movement reaches them. */
function fitScreen(lines: readonly string[], columns: number, rows: number): readonly string[] {
  const fitted = lines.map((line) => truncate(line, columns));
  const rowsMax = Math.max(1, rows - 1);
  if (fitted.length <= rowsMax) return fitted;
  return [...fitted.slice(0, rowsMax - 1), truncate(`… ${fitted.length - rowsMax + 1} more lines`, columns)];
}

function plainView(screen: Screen): LiveView {
  let shown: readonly string[] = [];
  return {
    render: (lines) => {
      const changed = lines.filter((line, index) => line !== shown[index]);
      shown = [...lines];
      if (changed.length > 0) screen.write(changed.map((line) => `${line}\n`).join(''));
    },
    note: (line) => {
      screen.write(`${line}\n`);
    },
    done: () => {
      shown = [];
    },
  };
}
