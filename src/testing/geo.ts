import { randomUUID } from 'node:crypto';
import type { GeoResolver, Located } from '../connectors/geo/geo-resolver.ts';
import type { Awaitable } from './bank/harness.ts';
import type { ContractCheck } from './check.ts';
import { askingChecks, type PortHarness, portCheck } from './port.ts';

/** What the contract test needs of a geo resolver and its registry. */
export interface GeoHarness extends PortHarness<GeoResolver> {
  /** Beneficiaries that the registry knows, two or more, as the resolver should locate them. */
  known(): Awaitable<readonly Located[]>;
}

const RULE = {
  where: 'GeoResolver.resolve',
  rule: 'resolve locates each beneficiary at most once, and leaves out those that the registry does not know.',
  remedy:
    'Leave out who is unknown or has no area; of several entries of one person take one, always the same.',
};

/** The contract of {@link GeoResolver}; see `bankConnectorContract` for how checks are run. */
export function geoResolverContract(harness: GeoHarness): readonly ContractCheck[] {
  return [
    portCheck(
      harness,
      {
        ...RULE,
        id: 'resolve.known',
        name: 'resolve locates who is known, once each, and leaves the others out',
      },
      async ({ connector, judge, value }) => {
        const known = await harness.known();
        const ids = [...known.map((one) => one.beneficiaryId), `unknown-${randomUUID()}`];
        const located = await value((ctx) => connector.resolve(ids, ctx));
        const found = located.map((one) => JSON.stringify(sorted(one))).sort();
        const expected = known.map((one) => JSON.stringify(sorted(one))).sort();
        judge.require(
          found.join('\n') === expected.join('\n'),
          `it located [${found.join(', ')}], not [${expected.join(', ')}]`,
        );
      },
    ),
    portCheck(
      harness,
      { ...RULE, id: 'resolve.nobody', name: 'resolve of nobody is an empty list' },
      async ({ connector, judge, value }) => {
        const located = await value((ctx) => connector.resolve([], ctx));
        judge.require(located.length === 0, `it located ${located.length}`);
      },
    ),
    ...askingChecks(harness, {
      port: 'GeoResolver',
      method: 'resolve',
      ask: async () => {
        const ids = (await harness.known()).map((one) => one.beneficiaryId);
        return (connector, ctx) => connector.resolve(ids, ctx);
      },
    }),
  ];
}

/** With its fields in one order, so that two can be compared as text. */
function sorted({ beneficiaryId, largeZone, smallZone, name, phone, email }: Located) {
  const zone = ({ id, mnemonic }: Located['largeZone']) => ({ id, mnemonic });
  return { beneficiaryId, largeZone: zone(largeZone), smallZone: zone(smallZone), name, phone, email };
}
