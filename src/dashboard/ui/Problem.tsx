import { ApiProblem } from '../problem.ts';
import { Button } from './Button.tsx';
import { Icon } from './Icon.tsx';

/** What went wrong, in a sentence, with its code; read out at once. */
export function Problem({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const known = error instanceof ApiProblem;
  return (
    <div className="problem" role="alert">
      <Icon name="error" />
      <div>
        <p>{known ? error.message : 'Something went wrong on this page. Load it again.'}</p>
        {known ? <code className="muted">{error.code}</code> : null}
      </div>
      {onRetry === undefined ? null : (
        <Button small onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
