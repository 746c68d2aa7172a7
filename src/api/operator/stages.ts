import type { z } from 'zod';
import type { StageName } from '../../config.ts';
import { goesThroughZones, isCash } from '../../machines/benefit-type.ts';
import type { Actor, StageRegion } from '../../runtime/actor.ts';
import type { Stage } from '../../runtime/stage.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { ProblemError } from './problem.ts';
import type { stateWords } from './wire/overview.ts';

/** The states of a stage region by the part they play, in the region's own words. */
export type StateWords = z.infer<typeof stateWords>;

/** A stage of the pipeline as operators see it. */
export interface StageInfo {
  /** As in its queues: `mapper_resolution`. */
  readonly stage: string;
  /** For people. */
  readonly title: string;
  readonly actor: Actor;
  readonly region: StageRegion;
  readonly states: StateWords;
  readonly policy: Stage;
  /** Whether it hands money to people, so that only a payer may have it resumed. */
  readonly payerOnly: boolean;
}

const TITLES: Readonly<Record<StageName, string>> = {
  mapper_resolution: 'Resolve accounts',
  check_funds_with_bank: 'Check funds',
  block_funds_with_bank: 'Block funds',
  disburse_funds_from_bank: 'Pay',
  mt940_processor: 'Reconcile statements',
  geo_resolution: 'Locate beneficiaries',
  warehouse_allocation: 'Allocate warehouses',
  agency_allocation: 'Allocate agencies',
  warehouse_notification: 'Notify warehouses',
  agency_notification: 'Notify agencies',
  beneficiary_notification: 'Notify beneficiaries',
  release_funds_with_bank: 'Give blocked funds back',
};

/** Checking, blocking and giving back move no money to people. */
const PAYING: ReadonlySet<string> = new Set(['disburse_funds_from_bank'] satisfies StageName[]);

/** What systems are made of does not change, so it is read off them once. */
const known = new WeakMap<ActorSystem, readonly StageInfo[]>();

/** The stages of a system, in the order of the pipeline. */
export function stageList(system: ActorSystem): readonly StageInfo[] {
  const found = known.get(system);
  if (found) return found;
  const list = system.store.registry.stages.map(stageInfo);
  known.set(system, list);
  return list;
}

/**
 * A stage by its name.
 *
 * @throws ProblemError STAGE_UNKNOWN
 */
export function stageNamed(system: ActorSystem, name: string): StageInfo {
  const found = stageList(system).find(({ stage }) => stage === name);
  if (found) return found;
  throw new ProblemError(404, 'STAGE_UNKNOWN', `There is no stage ${name}.`);
}

/** The stages that an envelope of a benefit type passes with all that belongs to it, in the order of the pipeline. */
export function stagesOfBenefit(system: ActorSystem, benefitType: string): readonly StageInfo[] {
  return stageList(system).filter(({ actor, region: { region } }) => {
    if (actor.name === 'statement') return false;
    if (actor.name === 'envelope' || region === 'sponsor_bank_dispatch') return isCash(benefitType);
    return region === 'fa_resolution' ? benefitType === 'CASH_DIGITAL' : goesThroughZones(benefitType);
  });
}

/** The stage that does the work of a region; null when none does. */
export function stageOfRegion(system: ActorSystem, machine: string, region: string): StageInfo | null {
  const found = stageList(system).find((one) => one.actor.name === machine && one.region.region === region);
  return found ?? null;
}

function stageInfo(policy: Stage): StageInfo {
  const { name, actor } = policy;
  const region = actor.stages.find((one) => one.region === policy.region);
  if (!region) throw new Error(`${actor.name} has no stage region ${policy.region}.`);
  return {
    stage: name,
    title: titleOf(name),
    actor,
    region,
    states: {
      pending: region.pending,
      ask_again: region.askAgain[0] ?? null,
      processing: region.processing,
      processed: leadsTo(actor, region, 'succeeded'),
      error: leadsTo(actor, region, 'stale'),
    },
    policy,
    payerOnly: PAYING.has(name),
  };
}

/** A stage of somebody's own is called what it is named. */
const titleOf = (name: string): string =>
  Object.hasOwn(TITLES, name) ? TITLES[name as StageName] : name.replaceAll('_', ' ');

/** Where an event leads from the state of work under way when nothing else applies: the last of its transitions. */
function leadsTo(actor: Actor, { region, processing }: StageRegion, event: string): string {
  const node = actor.machine.states[region]?.states[processing];
  const target = node?.transitions.get(`${region}.${event}`)?.at(-1)?.target?.[0];
  if (!target) throw new Error(`${actor.name} has no way out of ${region}.${processing} by ${event}.`);
  return target.key;
}
