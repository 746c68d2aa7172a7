import type { MouseEventHandler, ReactNode } from 'react';

interface Props {
  readonly children: ReactNode;
  readonly onClick?: MouseEventHandler<HTMLButtonElement>;
  readonly type?: 'button' | 'submit';
  /** `primary`: what the page is for; `danger`: what cannot be undone; `quiet`: without a frame. */
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly disabled?: boolean;
  /** Why it cannot be used; disables it, and stays readable for everybody. Null: it can. */
  readonly whyNot?: string | null;
  /** For a button whose text says too little by itself. */
  readonly label?: string;
  readonly small?: boolean;
}

/** A button. One that may not be used stays reachable by keyboard, so that its reason can be read. */
export function Button({ children, onClick, whyNot = null, ...rest }: Props) {
  const { type = 'button', kind = 'plain', disabled = false, label, small = false } = rest;
  const refused = whyNot !== null;
  return (
    <button
      type={type}
      className={`button button-${kind}${small ? ' button-small' : ''}`}
      disabled={disabled}
      aria-disabled={refused || undefined}
      aria-label={label === undefined ? undefined : refused ? `${label}. ${whyNot}` : label}
      title={whyNot ?? undefined}
      onClick={(event) => {
        if (refused) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {children}
      {refused && label === undefined ? <span className="hidden">. {whyNot}</span> : null}
    </button>
  );
}
