import type { CallContext } from '../call-context.ts';

/** An administrative area: a large one with warehouses, a small one with agencies. */
export interface Zone {
  readonly id: string;
  readonly mnemonic: string;
}

/** Where a beneficiary lives, and how to reach them as far as the registry knows. */
export interface Located {
  readonly beneficiaryId: string;
  readonly largeZone: Zone;
  /** Lies in the large zone. */
  readonly smallZone: Zone;
  readonly name: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

/**
 * The port to a registry, which knows where its people live.
 *
 * A package exports `createGeoResolver(settings: GeoResolverSettings)`, which returns a resolver or a promise of one,
 * and is named in `geo_resolvers_impls` under the target registry of the envelopes that it serves. One resolver serves
 * all calls, from many workers at once.
 *
 * A call ends within a bound of its own, whatever the registry does, and soon after `signal` is aborted. Resolving
 * changes nothing, so the pipeline may repeat it at any time; a resolver does not repeat by itself.
 */
export interface GeoResolver {
  /**
   * Where beneficiaries live; the caller chooses how many are asked for at a time. Those the registry does not know, or
   * knows no area of, are left out of the answer.
   *
   * @param beneficiaryIds without repetition
   * @returns at most one entry per beneficiary, in any order
   * @throws ConnectorError when the registry as a whole did not answer
   */
  resolve(beneficiaryIds: readonly string[], ctx: CallContext): Promise<readonly Located[]>;

  /** Releases connections. Called once, when no call is under way. */
  close?(): Promise<void>;
}

/** What a geo resolver is created with. */
export interface GeoResolverSettings {
  /** The target registry that it serves, in small letters. */
  readonly targetRegistry: string;
  /** PostgreSQL URL of the registry database, for resolvers that read one. */
  readonly databaseUrl: string | null;
  /** Most connections open at once. */
  readonly connectionsMax: number;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time a query may take, in milliseconds. */
  readonly queryTimeoutMs: number;
  /** As given in the configuration; the resolver checks what it needs. */
  readonly options: Readonly<Record<string, unknown>>;
}
