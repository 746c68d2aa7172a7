import type { CircuitSystem } from './circuit.ts';

/** A sponsor bank, by its code. */
export const bankSystem = (code: string): CircuitSystem => ({
  name: `bank:${code}`,
  title: `The sponsor bank ${code}`,
  code: 'BANK_CIRCUIT_OPEN',
});

/** The ID mapper, with the key manager and the token server that requests to it need. */
export const MAPPER: CircuitSystem = { name: 'mapper', title: 'The mapper', code: 'MAPPER_CIRCUIT_OPEN' };

export const NOTIFICATION: CircuitSystem = {
  name: 'notification',
  title: 'The notification service',
  code: 'NOTIFICATION_CIRCUIT_OPEN',
};

/** The database of PBMS, with whatever else the allocators of a deployment ask. */
export const PBMS: CircuitSystem = { name: 'pbms', title: 'PBMS', code: 'PBMS_CIRCUIT_OPEN' };

/** What resolves the beneficiaries of a target registry. */
export const registrySystem = (registry: string): CircuitSystem => ({
  name: `registry:${registry}`,
  title: `The registry ${registry}`,
  code: 'REGISTRY_CIRCUIT_OPEN',
});
