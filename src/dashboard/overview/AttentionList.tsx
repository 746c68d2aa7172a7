import { Link } from 'wouter';
import { links } from '../links.ts';
import { Card, Icon, type IconName, Time } from '../ui/index.ts';
import type { Attention } from './types.ts';

const SEVERITIES: Readonly<Record<Attention['severity'], { icon: IconName; text: string }>> = {
  high: { icon: 'error', text: 'Urgent' },
  medium: { icon: 'waiting', text: 'Soon' },
  low: { icon: 'processing', text: 'When there is time' },
};

/** Where something is dealt with, and what the way there is called. */
function wayTo({ kind, stage, code }: Attention): { href: string; text: string } {
  switch (kind) {
    case 'outcome_unknown':
    case 'errors':
      return stage !== null && code !== null
        ? { href: links.errorItems(stage, code), text: 'Show records' }
        : { href: links.errors(), text: 'Show errors' };
    case 'missing_payments':
      return { href: links.statements({ tab: 'discrepancies', kind: 'MISSING' }), text: 'Show payments' };
    case 'mismatches':
      return { href: links.statements({ tab: 'discrepancies' }), text: 'Show entries' };
    case 'no_funds':
      return { href: links.envelopes({ state: 'under_way' }), text: 'Show envelopes' };
    case 'circuit_open':
    case 'no_worker':
      return { href: links.operations({ tab: 'processes' }), text: 'Show processes' };
    case 'parked':
      return { href: links.operations({ tab: 'parked' }), text: 'Show records' };
    case 'paused':
    case 'oldest_waiting':
      return { href: links.operations(), text: 'Show stages' };
  }
}

/** What needs a person today, the most pressing first. */
export function AttentionList({ items }: { readonly items: readonly Attention[] }) {
  if (items.length === 0) {
    return (
      <Card title="Needs you" className="attention">
        <p className="attention-none">
          <Icon name="done" />
          <strong>Nothing needs you now.</strong>
          <span className="muted">Whatever does will be listed here first.</span>
        </p>
      </Card>
    );
  }
  return (
    <Card title="Needs you" flush className="attention">
      <ul>
        {items.map((item) => {
          const { icon, text } = SEVERITIES[item.severity];
          const way = wayTo(item);
          return (
            <li key={`${item.kind} ${item.stage} ${item.code} ${item.sentence}`} className="attention-item">
              <span className={`attention-mark severity-${item.severity}`} title={text}>
                <Icon name={icon} size={18} />
                <span className="hidden">{text}:</span>
              </span>
              <div className="attention-text">
                <p>{item.sentence}</p>
                {item.since === null ? null : (
                  <p className="muted small">
                    Since <Time at={item.since} />
                  </p>
                )}
              </div>
              <Link href={way.href} className="button button-small">
                {way.text}
                <span className="hidden">: {item.sentence}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
