import { useState } from 'react';
import type { Configuration } from '../../api/operator/wire/operations.ts';
import { useView } from '../api.ts';
import { Card, type Column, Field, Table, View } from '../ui/index.ts';
import type { SettingRow } from './types.ts';

const COLUMNS: readonly Column<SettingRow>[] = [
  { key: 'name', title: 'Setting', render: ({ name }) => <code>{name}</code> },
  {
    key: 'value',
    title: 'Value',
    grow: true,
    render: ({ value, is_secret: isSecret }) =>
      value === null ? (
        <span className="muted">not set</span>
      ) : (
        <>
          <code className="setting-value">{value === '' ? '""' : value}</code>
          {isSecret ? <span className="muted small"> secret</span> : null}
        </>
      ),
  },
  {
    key: 'origin',
    title: 'From',
    render: (row) => (row.is_default ? <span className="muted">default</span> : <strong>set</strong>),
  },
];

/** The configuration in force in the process that answers; secrets are masked there already. */
export function Settings() {
  const view = useView<Configuration>('/operator/configuration', { refetchMs: false });
  const [text, setText] = useState('');
  const [all, setAll] = useState(true);
  return (
    <View of={view}>
      {({ settings }) => {
        const fits = settings.filter(
          ({ name, is_default: isDefault }) =>
            (all || !isDefault) && name.includes(text.trim().toLowerCase()),
        );
        return (
          <>
            <search className="filters">
              <div className="filter-text">
                <Field label="Search">
                  {(field) => (
                    <input
                      {...field}
                      type="search"
                      value={text}
                      placeholder="Part of a setting's name"
                      onChange={(event) => setText(event.target.value)}
                    />
                  )}
                </Field>
              </div>
              <label className="check">
                <input type="checkbox" checked={!all} onChange={(event) => setAll(!event.target.checked)} />
                Only what is not the default
              </label>
            </search>
            <Card flush>
              <Table
                caption="Settings in force"
                columns={COLUMNS}
                rows={fits}
                rowKey={({ name }) => name}
                empty="No setting fits."
              />
            </Card>
          </>
        );
      }}
    </View>
  );
}
