import type { Allocator } from '../allocation/allocator.ts';
import type { GeoResolver } from '../geo/geo-resolver.ts';
import type { MapperConnector } from '../mapper/mapper-connector.ts';
import type { ReadOnlyDatabase } from '../read-only-database.ts';
import type { Circuit } from './circuit.ts';

/** A mapper connector whose calls pause while the mapper, or what signs and authorizes for it, is out of order. */
export function guardMapper(mapper: MapperConnector, circuit: Circuit | null): MapperConnector {
  if (!circuit) return mapper;
  return {
    resolve: (requests, ctx) => circuit.call(ctx, () => mapper.resolve(requests, ctx)),
    close: async () => mapper.close?.(),
  };
}

/** A geo resolver whose calls pause while its registry is out of order. */
export function guardGeoResolver(resolver: GeoResolver, circuit: Circuit | null): GeoResolver {
  if (!circuit) return resolver;
  return {
    resolve: (beneficiaryIds, ctx) => circuit.call(ctx, () => resolver.resolve(beneficiaryIds, ctx)),
    close: async () => resolver.close?.(),
  };
}

/** An allocator whose calls pause while PBMS, or whatever it asks, is out of order. */
export function guardAllocator(allocator: Allocator, circuit: Circuit | null): Allocator {
  if (!circuit) return allocator;
  const choose = allocator.choose?.bind(allocator);
  return {
    candidates: (request, ctx) => circuit.call(ctx, () => allocator.candidates(request, ctx)),
    ...(choose && { choose }),
    close: async () => allocator.close?.(),
  };
}

/** A database whose queries pause while it is out of order. */
export function guardDatabase(database: ReadOnlyDatabase, circuit: Circuit | null): ReadOnlyDatabase {
  if (!circuit) return database;
  return {
    query: (run, options = {}) => {
      const signal = options.signal ?? new AbortController().signal;
      return circuit.call({ signal }, () => database.query(run, options));
    },
    close: () => database.close(),
  };
}
