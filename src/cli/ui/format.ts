import { styleText } from 'node:util';
import { textWidth } from './text-width.ts';

/** Colours that are none where they would be garbage. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/**
 * Colours for a stream: only when it is a terminal, and never when `NO_COLOR` is set (https://no-color.org).
 *
 * @param stream `process.stdout` or `process.stderr`
 */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
  const style = (name: Style) => (text: string) => styleText(name, text, { stream, validateStream: true });
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
    cyan: style('cyan'),
  };
}

/** A number or exact decimal with its thousands apart: `1234567.5` is `1,234,567.5`. */
export function groupDigits(value: number | bigint | string): string {
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A duration for people: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Whole percents done, rounded down, so that 100 % means all; nothing of nothing is all. */
export function percent(done: number, total: number): number {
  if (total <= 0) return 100;
  return Math.max(0, Math.min(100, Math.floor((done / total) * 100)));
}

/** A bar of so many columns that fills up, with the percentage behind it: `██████░░░░  60 %`. */
export function progressBar(done: number, total: number, width = 20): string {
  const label = ` ${String(percent(done, total)).padStart(3)} %`;
  const columns = Math.max(0, width - textWidth(label));
  const filled = Math.floor((columns * percent(done, total)) / 100);
  return `${'█'.repeat(filled)}${'░'.repeat(columns - filled)}${label}`;
}
