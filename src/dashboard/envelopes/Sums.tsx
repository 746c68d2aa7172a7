import { Link } from 'wouter';
import type { EnvelopeDetail } from '../../api/operator/wire/envelopes.ts';
import { countText, decimalText, share } from '../format/number.ts';
import { links } from '../links.ts';
import { Card, Money, Time } from '../ui/index.ts';

interface Line {
  readonly title: string;
  readonly quantity: string;
  readonly count: number | null;
  readonly warn?: boolean;
}

/** What has become of the quantity of an envelope. */
export function Sums({ envelope }: { readonly envelope: EnvelopeDetail }) {
  const { money, measurement_unit: unit } = envelope;
  const lines: readonly Line[] = [
    { title: 'Declared', quantity: envelope.quantity_declared, count: envelope.number_of_disbursements },
    {
      title: 'Received',
      quantity: envelope.quantity_received,
      count: envelope.number_of_disbursements_received,
    },
    ...(money === null
      ? []
      : [
          { title: 'Blocked at the bank', quantity: money.blocked, count: null },
          { title: 'Paid out', quantity: money.shipped, count: envelope.number_of_disbursements_shipped },
          {
            title: 'Confirmed by statements',
            quantity: money.reconciled,
            count: envelope.number_of_disbursements_reconciled,
          },
          {
            title: 'Came back',
            quantity: money.reversed,
            count: envelope.number_of_disbursements_reversed,
            warn: true,
          },
        ]),
  ];
  return (
    <Card title={`Sums in ${unit}`}>
      <dl className="bars sums">
        {lines.map(({ title, quantity, count, warn = false }) => (
          <div key={title} className={`bar-line${warn ? ' bar-warn' : ''}`}>
            <dt>
              {title}
              {count === null ? null : <span className="muted small"> · {countText(count)}</span>}
            </dt>
            <dd>
              <span className="figure">{decimalText(quantity)}</span>
              <span className="bar" aria-hidden="true">
                <span style={{ width: `${share(quantity, envelope.quantity_declared) * 100}%` }} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
      {money === null ? null : <Open money={money} envelope={envelope} />}
    </Card>
  );
}

/** What is still open, and where the money lies. */
const Open = (props: {
  readonly money: NonNullable<EnvelopeDetail['money']>;
  readonly envelope: EnvelopeDetail;
}) => {
  const { money, envelope } = props;
  return (
    <dl className="facts sums-open">
      <div>
        <dt>Paid out, on no statement yet</dt>
        <dd>
          <Money quantity={money.outstanding} unit={envelope.measurement_unit} />
        </dd>
      </div>
      <div>
        <dt>Missing from statements</dt>
        <dd>
          {money.missing === null ? (
            <span className="muted">being counted</span>
          ) : money.missing.count === 0 ? (
            <>
              none <span className="muted small">as of</span> <Time at={money.missing.as_of} />
            </>
          ) : (
            <Link href={links.statements({ tab: 'discrepancies', kind: 'MISSING', envelope: envelope.id })}>
              {countText(money.missing.count)},{' '}
              <Money quantity={money.missing.quantity} unit={envelope.measurement_unit} />
            </Link>
          )}
        </dd>
      </div>
      <div>
        <dt>Bank</dt>
        <dd>{money.sponsor_bank_code ?? '–'}</dd>
      </div>
      <div className="fact-wide">
        <dt>Block reference</dt>
        <dd>{money.block_reference === null ? '–' : <code>{money.block_reference}</code>}</dd>
      </div>
    </dl>
  );
};
