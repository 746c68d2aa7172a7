import { decimalText, share } from '../format/number.ts';
import { Card, Empty, Money } from '../ui/index.ts';
import type { Money as MoneyOnWire } from './types.ts';

const STEPS = [
  ['declared', 'Declared'],
  ['received', 'Received'],
  ['blocked', 'Blocked at the bank'],
  ['shipped', 'Paid out'],
  ['reconciled', 'Confirmed by statements'],
  ['reversed', 'Came back'],
] as const;

/** Where the money of all cash envelopes stands, each unit by itself. */
export function MoneyFlow({ money }: { readonly money: readonly MoneyOnWire[] }) {
  return (
    <Card title="Money">
      {money.length === 0 ? (
        <Empty title="No cash envelopes yet." icon="none">
          Their sums will stand here, each currency by itself.
        </Empty>
      ) : (
        <div className="stack">
          {money.map((one) => (
            <section key={one.measurement_unit} className="money">
              <p className="money-flight">
                <span className="muted">In flight</span>
                <strong>
                  <Money quantity={one.in_flight} unit={one.measurement_unit} />
                </strong>
                <span className="muted small">paid out and on no statement yet</span>
              </p>
              <dl className="bars">
                {STEPS.map(([field, title]) => (
                  <div key={field} className={`bar-line${field === 'reversed' ? ' bar-warn' : ''}`}>
                    <dt>{title}</dt>
                    <dd>
                      <span className="figure">{decimalText(one[field])}</span>
                      <span className="bar" aria-hidden="true">
                        <span style={{ width: `${share(one[field], one.declared) * 100}%` }} />
                      </span>
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      )}
    </Card>
  );
}
