import { compareDecimals } from '../../decimal.ts';
import type { CallContext } from '../call-context.ts';
import type { Zone } from '../geo/geo-resolver.ts';

/** The zones that need somebody, for one benefit. */
export interface AllocationRequest {
  readonly programId: string;
  readonly programMnemonic: string;
  readonly benefitCodeId: string;
  readonly benefitCodeMnemonic: string;
  /** Without repetition. */
  readonly zones: readonly Zone[];
}

/** A warehouse or an agency that may serve a zone. */
export interface Candidate {
  readonly id: string;
  readonly mnemonic: string;
  readonly name: string | null;
  readonly adminName: string | null;
  readonly adminEmail: string | null;
  readonly adminPhone: string | null;
  /** What else is known about it for this benefit, such as payment details (`additional_info` in PBMS). */
  readonly additionalAttributes: string | null;
}

/**
 * The port to whoever knows the warehouses of large zones, or the agencies of small zones: both are the same port.
 *
 * A package exports `createWarehouseAllocator(settings: AllocatorSettings)` or `createAgencyAllocator(…)`, which
 * returns an allocator or a promise of one, and is named in `warehouse_allocator_impl` or `agency_allocator_impl`. One
 * allocator serves all calls, from many workers at once.
 */
export interface Allocator {
  /**
   * Who may serve each zone, for this program and benefit code. A call ends within a bound of its own and soon after
   * the signal is aborted; it changes nothing, so the pipeline may repeat it at any time.
   *
   * @returns candidates by zone id; zones that nobody serves are left out
   * @throws ConnectorError when there is no answer
   */
  candidates(
    request: AllocationRequest,
    ctx: CallContext,
  ): Promise<ReadonlyMap<string, readonly Candidate[]>>;

  /**
   * Chooses one. Pure and deterministic, so that a stage that runs again chooses the same. Left out:
   * {@link leastAllocated}.
   *
   * @param zone where
   * @param candidates who may serve it, at least one
   * @param allocated exact decimal quantity allocated in the envelope so far, by candidate id; absent: none
   */
  choose?(zone: Zone, candidates: readonly Candidate[], allocated: ReadonlyMap<string, string>): Candidate;

  /** Releases connections. Called once, when no call is under way. */
  close?(): Promise<void>;
}

/** What an allocator is created with. */
export interface AllocatorSettings {
  /** PostgreSQL URL of the PBMS database, for allocators that connect by themselves. */
  readonly pbmsUrl: string | null;
  /** As given in the configuration; the allocator checks what it needs. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The candidate with the least quantity so far, of equals the one with the lowest id, whatever order they come in.
 *
 * @param candidates at least one
 * @param allocated exact decimal quantity by candidate id; absent: none
 * @throws RangeError when there are no candidates
 */
export function leastAllocated(
  candidates: readonly Candidate[],
  allocated: ReadonlyMap<string, string>,
): Candidate {
  const quantityOf = ({ id }: Candidate) => allocated.get(id) ?? '0';
  const [first, ...others] = candidates;
  if (!first) throw new RangeError('There is no candidate to choose from.');
  return others.reduce((least, other) => {
    const difference = compareDecimals(quantityOf(other), quantityOf(least));
    return (difference || compareIds(other.id, least.id)) < 0 ? other : least;
  }, first);
}

/** Orders ids: numbers by their value and before other texts, which are ordered by their characters. */
export function compareIds(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  const difference = isNumber ? BigInt(a) - BigInt(b) : 0n;
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
