import { type EdgeDrawing, type EventTrace, wasTaken } from './drawing.ts';

/** What stands on an edge: each event that was taken with its count and, below, its time; and the names of the others. */
export interface EdgeLabel {
  readonly taken: readonly EventTrace[];
  /** Lines of names, as short as they can be read. */
  readonly others: readonly string[];
  readonly width: number;
  readonly height: number;
}

/** Measures of the text on edges, px; as in `chart.css`. */
const TAKEN = { char: 6.6, line: 30 } as const;
const OTHER = { char: 5.6, line: 14 } as const;
const PADDING = 6;
/** For the count behind a taken event: ` ×999`. */
const COUNT_CHARS = 5;
const LINE_CHARS = 16;

/** The label of an edge, with the room that it takes. */
export function edgeLabel(edge: EdgeDrawing): EdgeLabel {
  const taken = edge.events.filter(wasTaken);
  const others = wrap(edge.events.filter((one) => !wasTaken(one)).map(({ event }) => event));
  const width = Math.max(
    ...taken.map(({ event }) => (event.length + COUNT_CHARS) * TAKEN.char),
    ...others.map((line) => line.length * OTHER.char),
    0,
  );
  return {
    taken,
    others,
    width: Math.ceil(width) + 2 * PADDING,
    height: taken.length * TAKEN.line + others.length * OTHER.line + PADDING,
  };
}

/** Names in lines of a length that leaves room for the chart. */
function wrap(names: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length + 2 <= LINE_CHARS)
      lines[lines.length - 1] = `${last}, ${name}`;
    else lines.push(name);
  }
  return lines.map((line, at) => (at < lines.length - 1 ? `${line},` : line));
}

/** When an edge was last taken, as short as an edge has room for: the time of today (UTC), or the day. */
export function shortTime(at: string, now: Date): string {
  const today = now.toISOString().slice(0, 10);
  if (at.startsWith(today)) return at.slice(11, 19);
  return at.slice(0, 4) === today.slice(0, 4) ? at.slice(5, 10) : at.slice(0, 10);
}

/** An edge in words, for who cannot see it. */
export function edgeWords({ from, to, events }: EdgeDrawing): string {
  const taken = events.filter(wasTaken).map(({ event, count, lastAt }) => {
    const times = count === 1 ? 'once' : `${count} times, last`;
    return `${event} ${times} at ${lastAt?.slice(0, 19).replace('T', ' ')} UTC`;
  });
  const what =
    taken.length > 0 ? taken.join('; ') : `never taken (${events.map(({ event }) => event).join(', ')})`;
  return from === to ? `within ${from}: ${what}` : `${from} to ${to}: ${what}`;
}

/** An edge in words with what each of its events asks for, a line for each. */
export const edgeTitle = (edge: EdgeDrawing): string =>
  [
    edgeWords(edge),
    ...edge.events
      .filter(({ guards }) => guards.length > 0)
      .map(({ event, guards }) => `${event}: if ${guards.join('; or if ')}`),
  ].join('\n');
