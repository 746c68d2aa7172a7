import { Field } from '../ui/index.ts';
import { REASON_LENGTH_MAX, reasonFault } from './reason.ts';

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whether to say what is wrong with it; not before somebody has tried. */
  readonly checked: boolean;
  readonly disabled?: boolean;
}

/** Why an operator does something: asked for with every action, kept in the journal and the audit log. */
export const ReasonField = ({ value, onChange, checked, disabled = false }: Props) => (
  <Field
    label="Reason"
    help="Kept with your name in the journal and the audit log."
    fault={checked ? reasonFault(value) : null}
  >
    {(field) => (
      <textarea
        {...field}
        rows={3}
        required
        // biome-ignore lint/a11y/noAutofocus: a dialog begins at its first field
        autoFocus
        maxLength={REASON_LENGTH_MAX}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);
