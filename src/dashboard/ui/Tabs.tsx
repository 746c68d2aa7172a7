import { type KeyboardEvent, type ReactNode, useId } from 'react';

export interface Tab {
  readonly key: string;
  readonly title: ReactNode;
}

interface Props {
  /** What the tabs choose between. */
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly active: string;
  readonly onChange: (key: string) => void;
  /** The content of the active tab. */
  readonly children: ReactNode;
}

/** Tabs: the arrow keys move between them, as screen readers expect. */
export function Tabs({ label, tabs, active, onChange, children }: Props) {
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ key }) => key === active);
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: tabs.length - 1 - at }[event.key];
    if (step === undefined) return;
    const to = tabs[(at + step + tabs.length) % tabs.length];
    if (to === undefined) return;
    event.preventDefault();
    onChange(to.key);
    document.getElementById(`${id}-${to.key}`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tab-list" role="tablist" aria-label={label} onKeyDown={move} tabIndex={-1}>
        {tabs.map(({ key, title }) => (
          <button
            key={key}
            id={`${id}-${key}`}
            type="button"
            role="tab"
            className="tab"
            aria-selected={key === active}
            aria-controls={`${id}-panel`}
            tabIndex={key === active ? 0 : -1}
            onClick={() => onChange(key)}
          >
            {title}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${active}`} className="tab-panel">
        {children}
      </div>
    </div>
  );
}
