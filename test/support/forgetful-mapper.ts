import type {
  MapperConnector,
  MapperConnectorSettings,
} from '../../src/connectors/mapper/mapper-connector.ts';
import { createMapperConnector as createSpar } from '../../src/connectors/mapper/spar.ts';

/** The setting under which a deployment would name this connector. */
export const FORGETFUL_MAPPER = { mapper_connector_impl: new URL(import.meta.url).pathname };

/** The connector of a deployment that breaks its contract: it leaves the first answer out and adds one nobody asked for. */
export function createMapperConnector(settings: MapperConnectorSettings): MapperConnector {
  const spar = createSpar(settings);
  return {
    ...spar,
    async resolve(requests, ctx) {
      const [first, ...rest] = await spar.resolve(requests, ctx);
      return first ? [...rest, { ...first, referenceId: 'of-nobody' }] : [];
    },
  };
}
