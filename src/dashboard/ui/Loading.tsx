/** Shown while the first answer is awaited; screen readers hear it once. */
export const Loading = ({ what = 'Loading' }: { readonly what?: string }) => (
  <div className="loading" role="status">
    <span className="loading-bar" aria-hidden="true" />
    <span className="loading-bar" aria-hidden="true" />
    <span className="loading-bar" aria-hidden="true" />
    <span className="hidden">{what}…</span>
  </div>
);
