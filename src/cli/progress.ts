import { formatDuration, liveView, percent, progressBar, type Screen } from './ui.ts';

/** Shows how far long work has come: a bar on a terminal, elsewhere a line now and then. */
export interface Progress {
  /** Says how much is done; shown a few times a second at most. */
  update(done: number, total: number): void;
  /** Ends what was shown and begins something else. */
  phase(label: string): void;
  /** Writes a line that stays. */
  note(line: string): void;
  /** Ends what was shown. */
  end(): void;
}

const FRAME_MS = 100;
const LINE_MS = 2_000;
const BAR_COLUMNS = 30;
const ESTIMATED_PERCENT_MIN = 5;

/** Shows progress on a stream, which is standard error so that standard output holds results only. */
export function showProgress(screen: Screen): Progress {
  const isTerminal = screen.isTTY === true;
  const view = liveView(screen);
  const intervalMs = isTerminal ? FRAME_MS : LINE_MS;
  let label = '';
  let begunAt = performance.now();
  let shownAt = begunAt;
  return {
    update(done, total) {
      const now = performance.now();
      if (now - shownAt < intervalMs) return;
      shownAt = now;
      const left = ((now - begunAt) / done) * (total - done);
      const rest = canTell(done, total) ? `  ${formatDuration(left)} left` : '';
      const amount = isTerminal ? progressBar(done, total, BAR_COLUMNS) : `${percent(done, total)} %`;
      view.render([`${label} ${amount}${rest}`]);
    },
    phase(next) {
      view.render([]);
      label = next;
      begunAt = performance.now();
      // A terminal gets its first frame at once, a log no line about what is over in a moment.
      shownAt = isTerminal ? 0 : begunAt;
    },
    note: (line) => view.note(line),
    end() {
      view.render([]);
      view.done();
    },
  };
}

/** The first few percent tell little of how long the rest takes. */
function canTell(done: number, total: number): boolean {
  return done < total && percent(done, total) >= ESTIMATED_PERCENT_MIN;
}

/** Shows nothing. */
export const noProgress: Progress = { update() {}, phase() {}, note() {}, end() {} };
