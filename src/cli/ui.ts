/** What the commands show on a terminal: lines kept up to date, tables, bars, colours. */
export { formatDuration, groupDigits, type Paint, paintFor, percent, progressBar } from './ui/format.ts';
export { type LiveView, liveView, type Screen, screenColumns } from './ui/live-view.ts';
export { type Column, formatTable, type TableOptions } from './ui/table.ts';
export { pad, textWidth, truncate } from './ui/text-width.ts';
