import { type ReactNode, useId } from 'react';

interface Props {
  readonly label: string;
  /** What to fill in, below the field. */
  readonly help?: ReactNode;
  /** What is wrong with it, and what to do; null: nothing. */
  readonly fault?: string | null;
  /** Gives the field: it must carry what it is given. */
  readonly children: (props: {
    readonly id: string;
    readonly 'aria-describedby': string | undefined;
    readonly 'aria-invalid': boolean | undefined;
  }) => ReactNode;
}

/** A field with its label, its help and its fault, which screen readers read with it. */
export function Field({ label, help, fault = null, children }: Props) {
  const id = useId();
  const said = fault ?? help;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': said === undefined ? undefined : `${id}-help`,
        'aria-invalid': fault === null ? undefined : true,
      })}
      {said === undefined ? null : (
        <p id={`${id}-help`} className={fault === null ? 'field-help' : 'field-help field-fault'}>
          {said}
        </p>
      )}
    </div>
  );
}
