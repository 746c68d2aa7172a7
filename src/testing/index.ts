/**
 * The contract test kit, which authors of connectors import as `g2p-bridge-xstate/testing`. It needs Node and nothing
 * else. How to use it is in `docs/connectors.md`.
 */
export { type AllocatorHarness, allocatorContract } from './allocator.ts';
export { bankConnectorContract } from './bank/contract.ts';
export type {
  Awaitable,
  BankCall,
  BankHarness,
  BookedPayment,
  ConnectorLimits,
} from './bank/harness.ts';
export {
  type ContractCheck,
  type ContractResult,
  ContractViolation,
  type Rule,
  runContract,
} from './check.ts';
export { type FaultyProxy, type ProxiedRequest, startFaultyProxy, unusedUrl } from './faulty-proxy.ts';
export { type GeoHarness, geoResolverContract } from './geo.ts';
export { HTTP_FAULT_NAMES, HTTP_FAULTS, type HttpFault } from './http-fault.ts';
export { type MapperHarness, mapperConnectorContract } from './mapper.ts';
export { type NotificationHarness, notificationConnectorContract } from './notification.ts';
export type { PortHarness } from './port.ts';
