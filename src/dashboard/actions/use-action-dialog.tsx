import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { WorkTarget } from '../../api/operator/wire/actions.ts';
import { ActionDialog } from './ActionDialog.tsx';
import type { WorkActionKind } from './words.ts';

export type StartAction = (action: WorkActionKind, target: WorkTarget) => void;

/**
 * The dialog of whichever action has been chosen on a page. The page itself holds it: what the action is for disappears from
 * the page while the dialog still has to tell what came of it.
 */
export function useActionDialog(): { readonly start: StartAction; readonly dialog: ReactNode } {
  const [open, setOpen] = useState<{ action: WorkActionKind; target: WorkTarget } | null>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // The button that opened it, where the focus goes back to, may be gone with its record.
    const isLost = document.activeElement === document.body;
    if (open === null && wasOpen.current && isLost) document.querySelector('h1')?.focus();
    wasOpen.current = open !== null;
  }, [open]);
  return {
    start: (action, target) => setOpen({ action, target }),
    dialog: open === null ? null : <ActionDialog {...open} onClose={() => setOpen(null)} />,
  };
}
