/** Every drawing of the app: 16 by 16, in strokes of the text's colour. */
const PATHS = {
  overview: 'M2 12.5h3l2-9 3 11 2-6h2',
  envelopes: 'M2 4h12v8.5H2zM2 4.5l6 5 6-5',
  errors: 'M8 2.2 14.6 13.6H1.4zM8 6.5v3.2M8 11.6v.2',
  statements: 'M4 1.8h5.5L12.5 5v9.2H4zM9.3 2v3.2h3M6 8h4.5M6 10.8h4.5',
  operations: 'M3 4h10M3 8h10M3 12h10M6 2.6v2.8M10.5 6.6v2.8M5 10.6v2.8',
  audit: 'M8 1.8 13.2 4v3.6c0 3.2-2.1 5.6-5.2 6.6-3.1-1-5.2-3.4-5.2-6.6V4zM5.7 7.8l1.7 1.7 3-3.2',
  find: 'M7 2.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6zM10.6 10.6l3.4 3.4',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  sun: 'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z',
  system: 'M2 3h12v8H2zM5.5 14h5M8 11v3',
  user: 'M8 2.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM2.6 14c.4-3 2.5-4.4 5.4-4.4s5 1.4 5.4 4.4',
  pending: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z',
  processing: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 4.8v3.4l2.3 1.4',
  waiting: 'M4 2h8M4 14h8M5 2v2.4L8 8l3-3.6V2M5 14v-2.4L8 8l3 3.6V14',
  done: 'M3 8.6l3.2 3.2L13 4.6',
  error: 'M8 2.2 14.6 13.6H1.4zM8 6.5v3.2M8 11.6v.2',
  paused: 'M5.5 3v10M10.5 3v10',
  cancelled: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6',
  none: 'M4 8h8',
  play: 'M4.5 2.8v10.4L13 8z',
  next: 'M6 3l5 5-5 5',
  back: 'M10 3 5 8l5 5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  out: 'M6 2.5H2.5v11H6M10 5l3 3-3 3M13 8H6',
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing that goes with a text; it says nothing by itself. */
export const Icon = ({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) => (
  <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
