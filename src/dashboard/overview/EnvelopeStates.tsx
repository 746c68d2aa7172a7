import { Link } from 'wouter';
import type { Overview } from '../../api/operator/wire/overview.ts';
import { links } from '../links.ts';
import { Card, Count, StateBadge } from '../ui/index.ts';

const STATES = ['needs_attention', 'under_way', 'receiving', 'complete', 'cancelled'] as const;

/** How many envelopes are in which state; each leads to them. */
export const EnvelopeStates = ({ envelopes }: { readonly envelopes: Overview['envelopes'] }) => (
  <Card title="Envelopes" flush actions={<Link href={links.envelopes()}>All envelopes</Link>}>
    <ul className="tally-list">
      {STATES.map((state) => (
        <li key={state}>
          <Link className="tally-link" href={links.envelopes({ state })}>
            <StateBadge state={state} />
            <Count value={envelopes[state]} />
          </Link>
        </li>
      ))}
    </ul>
  </Card>
);
