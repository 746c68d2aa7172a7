import type { Checked, Program } from './contract.ts';
import type { FaultKind } from './schedule.ts';

/** A kind of fault that was asked for and cannot be had. */
export interface Missing {
  readonly kind: FaultKind;
  /** A sentence. */
  readonly why: string;
}

/** Something that the run itself could not do. */
export interface Trouble {
  readonly at: Date;
  readonly found: string;
}

/** What a run has done to the system, by which it is told whether it proves anything. */
export interface Evidence {
  /** What was asked for. */
  readonly kinds: readonly FaultKind[];
  readonly missing: readonly Missing[];
  /** The kinds that the schedule holds. */
  readonly scheduled: ReadonlySet<FaultKind>;
  /** How often each kind has struck. */
  readonly struck: ReadonlyMap<FaultKind, number>;
  /** How often each process was killed, by name. */
  readonly killed: ReadonlyMap<string, number>;
  /** How often each process was started, by name; once is how it began. */
  readonly starts: ReadonlyMap<string, number>;
  readonly troubles: readonly Trouble[];
  readonly benefitTypes: readonly Program['benefitType'][];
  /** How many were acknowledged, by benefit type. */
  readonly disbursements: ReadonlyMap<string, number>;
  readonly feedConnections: number;
}

/** Whether a run cannot prove anything: none of the faults that were asked for can be had. */
export const provesNothing = (kinds: readonly FaultKind[], missing: readonly Missing[]): boolean =>
  kinds.every((kind) => missing.some((one) => one.kind === kind));

/** What must be so for a run to prove anything; without it a system that was never struck would pass. */
export function proofOf(evidence: Evidence): readonly Checked[] {
  const { kinds, killed, feedConnections } = evidence;
  return [
    checked('Every kind of fault that was asked for and can be had has struck.', neverStruck(evidence)),
    {
      name: 'Nothing of the run itself has failed.',
      violations: evidence.troubles.map(({ at, found }) => ({
        invariant: 'Nothing of the run itself has failed.',
        found,
        at,
      })),
    },
    checked('Envelopes of every benefit type were submitted.', neverSubmitted(evidence)),
    ...(kinds.includes('kill')
      ? [checked('Processes were killed and started again.', notRestarted(evidence))]
      : []),
    ...((killed.get('api') ?? 0) > 0
      ? [
          checked(
            'The client of the feed has connected again.',
            feedConnections > 1
              ? []
              : [`The API was killed, and the client of the feed had ${feedConnections} connections in all.`],
          ),
        ]
      : []),
  ];
}

const checked = (name: string, found: readonly string[]): Checked => ({
  name,
  violations: found.map((sentence) => ({ invariant: name, found: sentence, at: null })),
});

function neverStruck({ kinds, missing, scheduled, struck }: Evidence): string[] {
  const expected = kinds.filter((kind) => scheduled.has(kind) && !missing.some((one) => one.kind === kind));
  if (expected.length === 0) return ['There was no fault to strike.'];
  return expected
    .filter((kind) => (struck.get(kind) ?? 0) === 0)
    .map((kind) => `No fault of the kind ${kind} has struck, so nothing is proven about it.`);
}

function neverSubmitted({ benefitTypes, disbursements }: Evidence): string[] {
  return benefitTypes
    .filter((type) => (disbursements.get(type) ?? 0) === 0)
    .map((type) => `No disbursement of ${type} was submitted.`);
}

function notRestarted({ killed, starts }: Evidence): string[] {
  const names = [...killed].filter(([, times]) => times > 0).map(([name]) => name);
  if (names.length === 0) return ['No process was killed.'];
  return names
    .filter((name) => (starts.get(name) ?? 0) < 2)
    .map((name) => `${name} was killed and never started again.`);
}
