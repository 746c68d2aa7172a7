import { useNow } from '../format/live-time.ts';
import { absoluteText, relativeText } from '../format/time.ts';

/** A moment: how long ago or ahead, and in full when pointed at. Null: a dash. */
export function Time({ at, full = false }: { readonly at: string | null; readonly full?: boolean }) {
  const now = useNow();
  if (at === null) return <span className="muted">–</span>;
  const absolute = absoluteText(at);
  return (
    <time dateTime={at} title={absolute}>
      {full ? absolute : relativeText(at, now)}
    </time>
  );
}
