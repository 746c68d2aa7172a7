import {
  type AllocationRequest,
  type Allocator,
  type Candidate,
  leastAllocated,
} from '../connectors/allocation/allocator.ts';
import type { Zone } from '../connectors/geo/geo-resolver.ts';
import type { Awaitable } from './bank/harness.ts';
import type { ContractCheck } from './check.ts';
import { askingChecks, type PortHarness, portCheck } from './port.ts';

/** What the contract test needs of an allocator and its source. */
export interface AllocatorHarness extends PortHarness<Allocator> {
  /** A request of which every zone is served. */
  served(): Awaitable<AllocationRequest>;
  /** A zone that nobody serves. */
  unserved(): Awaitable<Zone>;
}

const RULE = {
  where: 'Allocator.candidates',
  rule: 'candidates gives who may serve each zone by its id, and leaves out zones that nobody serves.',
  remedy: 'Key the map by Zone.id; put no empty lists into it; name each candidate of a zone once.',
};

/** The contract of {@link Allocator}; see `bankConnectorContract` for how checks are run. */
export function allocatorContract(harness: AllocatorHarness): readonly ContractCheck[] {
  return [
    portCheck(
      harness,
      {
        ...RULE,
        id: 'candidates.served',
        name: 'candidates are given for every zone that is served, and no other',
      },
      async ({ connector, judge, value }) => {
        const served = await harness.served();
        const request = { ...served, zones: [...served.zones, await harness.unserved()] };
        const candidates = await value((ctx) => connector.candidates(request, ctx));
        const zones = [...candidates.keys()].sort().join(', ');
        const expected = served.zones
          .map(({ id }) => id)
          .sort()
          .join(', ');
        judge.require(zones === expected, `it gave candidates for the zones [${zones}], not [${expected}]`);
        for (const [zone, ofZone] of candidates) {
          const ids = new Set(ofZone.map(({ id }) => id));
          judge.require(
            ids.size > 0 && ids.size === ofZone.length,
            `zone ${zone} has no candidate, or one twice`,
          );
        }
      },
    ),
    portCheck(
      harness,
      { ...RULE, id: 'candidates.no_zones', name: 'candidates of no zones are none' },
      async ({ connector, judge, value }) => {
        const request = { ...(await harness.served()), zones: [] };
        const candidates = await value((ctx) => connector.candidates(request, ctx));
        judge.require(candidates.size === 0, `it gave candidates for ${candidates.size} zones`);
      },
    ),
    portCheck(
      harness,
      {
        id: 'choose.deterministic',
        name: 'choose takes one of the candidates, the same one in whatever order they come',
        rule: 'choose is pure and deterministic, so that a stage that runs again chooses the same.',
        where: 'Allocator.choose',
        remedy: 'Break ties by id; use neither chance, nor time, nor what was chosen before.',
      },
      async ({ connector, judge, value }) => {
        const { zones } = await harness.served();
        const request = { ...(await harness.served()), zones };
        const all = await value((ctx) => connector.candidates(request, ctx));
        for (const zone of zones) {
          const real = all.get(zone.id) ?? [];
          const [first] = real;
          if (!first) return judge.fail(`zone ${zone.id} has no candidate`);
          // Others like it, so that there always is a choice.
          const some: readonly Candidate[] = Object.freeze([
            first,
            { ...first, id: '7' },
            { ...first, id: '12' },
          ]);
          for (const allocated of [
            new Map(),
            new Map([
              ['7', '0.5'],
              ['12', '0.25'],
            ]),
          ]) {
            const choose = (list: readonly Candidate[]) =>
              connector.choose?.(zone, list, allocated) ?? leastAllocated(list, allocated);
            const chosen = [some, [...some].reverse(), some].map((list) => choose(list).id);
            judge.require(new Set(chosen).size === 1, `it chose ${chosen.join(', then ')}`);
            judge.require(
              some.some(({ id }) => id === chosen[0]),
              `it chose ${chosen[0]}, who is no candidate`,
            );
          }
        }
      },
    ),
    ...askingChecks(harness, {
      port: 'Allocator',
      method: 'candidates',
      ask: async () => {
        const request = await harness.served();
        return (connector, ctx) => connector.candidates(request, ctx);
      },
    }),
  ];
}
