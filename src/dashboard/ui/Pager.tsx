import { Button } from './Button.tsx';

interface Props {
  readonly hasNext: boolean;
  readonly onNext: () => void;
  /** Left out or null on the first page. */
  readonly onFirst?: (() => void) | null;
  /** What is shown, for screen readers and eyes: `50 envelopes`. */
  readonly shown?: string;
}

/** Leads on through a list, and back to its beginning. */
export function Pager({ hasNext, onNext, onFirst = null, shown }: Props) {
  if (!hasNext && onFirst === null) return null;
  return (
    <nav className="pager" aria-label="Pages">
      {shown === undefined ? null : <span className="muted">{shown}</span>}
      <span className="pager-buttons">
        <Button small onClick={() => onFirst?.()} disabled={onFirst === null}>
          First page
        </Button>
        <Button small onClick={onNext} disabled={!hasNext}>
          Next page
        </Button>
      </span>
    </nav>
  );
}
