import { type ReactNode, useId } from 'react';

interface Props {
  readonly title?: string;
  /** What goes at the end of the head line. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Without room around its content: for tables. */
  readonly flush?: boolean;
  readonly className?: string;
}

/** A part of a page: a region with its heading. */
export function Card({ title, actions, children, flush = false, className = '' }: Props) {
  const id = useId();
  return (
    <section
      className={`card${flush ? ' card-flush' : ''} ${className}`}
      aria-labelledby={title === undefined ? undefined : id}
    >
      {title === undefined && actions === undefined ? null : (
        <header className="card-head">
          {title === undefined ? null : <h2 id={id}>{title}</h2>}
          {actions === undefined ? null : <div className="card-actions">{actions}</div>}
        </header>
      )}
      <div className="card-body">{children}</div>
    </section>
  );
}
