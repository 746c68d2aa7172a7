import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { useEffect, useRef, useState } from 'react';
import type { Envelopes } from '../../api/operator/wire/envelopes.ts';
import type { InspectorSettings } from '../../api/operator/wire/operations.ts';
import { useView } from '../api.ts';
import { useQueryValues } from '../hash-location.ts';
import { bridge, type Inspected } from '../inspection.ts';
import { links } from '../links.ts';
import { Card, type Column, Field, Page, Problem, Table, View } from '../ui/index.ts';
import '../inspector.css';

const CHOICE_MAX = 50;
const SHOWN_MAX = 100;
/** After so long without an answer the inspector is taken for out of reach, ms. */
const ANSWER_MS = 8_000;

/** The bridge into the XState inspector: choose an envelope and watch its machines move, their past first. */
export default function InspectorPage() {
  const settings = useView<InspectorSettings>('/operator/inspector', { refetchMs: false });
  const { query } = useQueryValues();
  const inspected = {
    envelope: query.get('envelope') ?? undefined,
    machine: query.get('machine') ?? undefined,
    id: query.get('id') ?? undefined,
  };
  return (
    <Page
      title="Inspector"
      about="The machines of an envelope in the XState inspector: first what has happened, then what happens."
    >
      <Chooser chosen={inspected} />
      <View of={settings}>
        {({ url }) => <Bridge key={JSON.stringify(inspected)} url={url} inspected={inspected} />}
      </View>
    </Page>
  );
}

/** The newest envelopes, and what the address names. */
function Chooser({ chosen }: { readonly chosen: Inspected }) {
  const { change } = useQueryValues();
  const list = useView<Envelopes>(`/operator/envelopes?limit=${CHOICE_MAX}`);
  const envelopes = list.data?.envelopes ?? [];
  const isListed = envelopes.some(({ id }) => id === chosen.envelope);
  const choose = (envelope: string) =>
    change({ envelope: envelope === '' ? null : envelope, machine: null, id: null }, { push: true });
  return (
    <Field
      label="Envelope"
      help={chosen.id === undefined ? undefined : `Now only ${chosen.machine} ${chosen.id} is shown.`}
    >
      {(props) => (
        <select {...props} value={chosen.envelope ?? ''} onChange={(event) => choose(event.target.value)}>
          <option value="">everything from now on</option>
          {chosen.envelope === undefined || isListed ? null : (
            <option value={chosen.envelope}>{chosen.envelope}</option>
          )}
          {envelopes.map(({ id, benefit_program_mnemonic, cycle_code_mnemonic }) => (
            <option key={id} value={id}>
              {`${id} · ${benefit_program_mnemonic} · ${cycle_code_mnemonic}`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface Told {
  readonly key: number;
  readonly actor: string;
  readonly event: string;
  readonly states: string;
}

const COLUMNS: readonly Column<Told>[] = [
  { key: 'actor', title: 'Actor', render: ({ actor }) => <code>{actor}</code>, grow: true },
  { key: 'event', title: 'Event', render: ({ event }) => event },
  { key: 'states', title: 'Then', render: ({ states }) => states, wideOnly: true },
];

function Bridge({ url, inspected }: { readonly url: string; readonly inspected: Inspected }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [answered, setAnswered] = useState(false);
  const [late, setLate] = useState(false);
  const [connected, setConnected] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const [told, setTold] = useState<readonly Told[]>([]);
  const [count, setCount] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the bridge is made anew, by its key, when what is inspected changes
  useEffect(() => {
    if (!frame.current) return;
    const timer = setTimeout(() => setLate(true), ANSWER_MS);
    let key = 0;
    const stop = bridge(frame.current, url, inspected, {
      onInspector: () => setAnswered(true),
      onConnected: setConnected,
      onProblem: setProblem,
      onEvent(event) {
        if (event.type !== '@xstate.snapshot') return;
        key += 1;
        const line = { key, ...lineOf(event) };
        setCount(key);
        setTold((before) => [line, ...before].slice(0, SHOWN_MAX));
      },
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [url]);

  return (
    <>
      {problem ? <Problem error={problem} /> : null}
      {late && !answered ? <OutOfReach url={url} inspected={inspected} /> : null}
      <iframe
        ref={frame}
        className={late && !answered ? 'inspector inspector-away' : 'inspector'}
        title="XState inspector"
        sandbox="allow-scripts allow-same-origin allow-popups"
        referrerPolicy="no-referrer"
      />
      <Card
        title={`Transitions, the latest first${connected ? '' : ' (connecting)'}`}
        actions={<span className="muted">{count.toLocaleString('en')} so far</span>}
        flush
      >
        <Table
          caption="Transitions, the latest first"
          columns={COLUMNS}
          rows={told}
          rowKey={(row) => String(row.key)}
          empty="Nothing has happened yet."
        />
      </Card>
    </>
  );
}

/** What to do when the page of the inspector does not answer. */
const OutOfReach = ({ url, inspected }: { readonly url: string; readonly inspected: Inspected }) => (
  <Card title="The inspector does not answer">
    <p>
      <code>{url}</code> could not be loaded from this browser, or is no XState inspector. If there is no way
      to the internet, have a copy served in your network and set <code>G2P_BRIDGE_INSPECTOR_URL</code> to its
      address.
    </p>
    <p>
      The transitions below arrive all the same, and{' '}
      {inspected.envelope === undefined ? (
        'every record has its chart on its own page'
      ) : (
        <a href={`#${links.actor('envelope', inspected.envelope)}`}>the chart of this envelope</a>
      )}{' '}
      needs nothing from outside.
    </p>
  </Card>
);

function lineOf(event: Extract<StatelyInspectionEvent, { type: '@xstate.snapshot' }>): Omit<Told, 'key'> {
  const { value } = event.snapshot as { value?: Readonly<Record<string, string>> };
  const { type } = event.event as { type: string };
  const region = type.includes('.') ? type.slice(0, type.indexOf('.')) : null;
  const states = Object.entries(value ?? {}).filter(([name]) => region === null || name === region);
  return {
    actor: event.sessionId,
    event: type,
    states: states.map(([name, state]) => `${name}: ${state}`).join(', '),
  };
}
