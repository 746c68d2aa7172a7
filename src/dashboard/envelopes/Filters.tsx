import { useEffect, useRef, useState } from 'react';
import { stateText } from '../format/states.ts';
import { Field } from '../ui/index.ts';
import { BENEFIT_TYPES } from './benefit-types.ts';

const STATES = ['needs_attention', 'under_way', 'receiving', 'complete', 'cancelled'] as const;
/** A search begins when typing has stopped for so long. */
const TYPED_MS = 300;

export interface FilterValues {
  readonly search: string;
  readonly state: string;
  readonly benefit_type: string;
}

interface Props {
  readonly values: FilterValues;
  readonly onChange: (values: Partial<FilterValues>) => void;
}

/** Which envelopes are listed. */
export function Filters({ values, onChange }: Props) {
  const [search, setSearch] = useState(values.search);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = useRef(values.search);
  useEffect(() => {
    // The address has changed by itself: a link, or one step back.
    if (values.search !== shown.current) setSearch(values.search);
    shown.current = values.search;
  }, [values.search]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (text: string): void => {
    setSearch(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      shown.current = text.trim();
      onChange({ search: text.trim() });
    }, TYPED_MS);
  };
  return (
    <search className="filters" aria-label="Envelopes">
      <div className="filter-text">
        <Field label="Search">
          {(field) => (
            <input
              {...field}
              type="search"
              placeholder="Part of an id, a program, a benefit or a cycle"
              maxLength={100}
              value={search}
              onChange={(event) => typed(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field label="State">
        {(field) => (
          <select
            {...field}
            value={values.state}
            onChange={(event) => onChange({ state: event.target.value })}
          >
            <option value="">All states</option>
            {STATES.map((state) => (
              <option key={state} value={state}>
                {stateText(state)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Benefit">
        {(field) => (
          <select
            {...field}
            value={values.benefit_type}
            onChange={(event) => onChange({ benefit_type: event.target.value })}
          >
            <option value="">All benefits</option>
            {Object.entries(BENEFIT_TYPES).map(([type, title]) => (
              <option key={type} value={type}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
    </search>
  );
}
