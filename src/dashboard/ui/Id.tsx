import { useState } from 'react';
import { Icon } from './Icon.tsx';

const SHOWN_MS = 1_500;

/** An id in full, with a button that copies it. */
export function Id({ id }: { readonly id: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <span className="id">
      <code>{id}</code>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label={copied ? 'Copied' : `Copy ${id}`}
        title={copied ? 'Copied' : 'Copy'}
        onClick={() => {
          void navigator.clipboard?.writeText(id).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), SHOWN_MS);
          });
        }}
      >
        <Icon name={copied ? 'done' : 'copy'} size={14} />
      </button>
    </span>
  );
}
