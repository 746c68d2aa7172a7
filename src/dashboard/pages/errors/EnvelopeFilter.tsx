import { useState } from 'react';
import { Link } from 'wouter';
import { links } from '../../links.ts';
import { Button } from '../../ui/index.ts';

interface Props {
  /** The envelope's id; null: all of them. */
  readonly envelope: string | null;
  readonly onChange: (envelope: string | null) => void;
}

/** Narrows a page to one envelope. */
export function EnvelopeFilter({ envelope, onChange }: Props) {
  const [text, setText] = useState('');
  if (envelope !== null) {
    return (
      <p className="envelope-filter">
        <span>
          Only of envelope{' '}
          <Link href={links.envelope(envelope)}>
            <code>{envelope}</code>
          </Link>
        </span>
        <Button small onClick={() => onChange(null)}>
          Show all envelopes
        </Button>
      </p>
    );
  }
  return (
    <search>
      <form
        className="envelope-filter"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') onChange(text.trim());
        }}
      >
        <label>
          Of envelope{' '}
          <input value={text} placeholder="its id" onChange={(event) => setText(event.target.value)} />
        </label>
        <Button small type="submit">
          Filter
        </Button>
      </form>
    </search>
  );
}
