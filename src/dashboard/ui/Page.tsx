import { type ReactNode, useEffect, useRef } from 'react';

interface Props {
  readonly title: string;
  /** Next to the title, such as a state. */
  readonly aside?: ReactNode;
  /** Below the title: what the page is about. */
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

let first = true;

/** A page: names the window, and gives its heading the focus when one comes to it, so that screen readers say where one is. */
export function Page({ title, aside, about, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · G2P Bridge`;
  }, [title]);
  useEffect(() => {
    if (first) first = false;
    else heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <>
      <header className="page-head">
        <div className="page-title">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {aside}
        </div>
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
        {about === undefined ? null : <div className="page-about">{about}</div>}
      </header>
      <div className="page-body">{children}</div>
    </>
  );
}
