/**
 * What authors of connectors import as `g2p-bridge-xstate/connectors`: the ports, and the error that connectors throw.
 * Nothing here needs more than Node.
 */
export {
  type AllocationRequest,
  type Allocator,
  type AllocatorSettings,
  type Candidate,
  leastAllocated,
} from './allocation/allocator.ts';
export type {
  BankConnector,
  BankConnectorSettings,
  BlockFundsRequest,
  BlockOutcome,
  CheckFundsRequest,
  Payment,
  PaymentInquiry,
  PaymentOutcome,
  PaymentRequest,
  ProgramAccount,
  Refused,
  ReleaseBlockRequest,
  StatementEntryTexts,
  Unknown,
} from './bank/bank-connector.ts';
export type { CallContext } from './call-context.ts';
export { ConnectorError, type ConnectorErrorCode } from './connector-error.ts';
export type { GeoResolver, GeoResolverSettings, Located, Zone } from './geo/geo-resolver.ts';
export type {
  MapperConnector,
  MapperConnectorSettings,
  RequestAuthorizer,
  RequestSigner,
  ResolveAnswer,
  ResolveError,
  ResolveErrorCode,
  ResolveRequest,
} from './mapper/mapper-connector.ts';
export type {
  FailedNotification,
  Notification,
  NotificationAnswer,
  NotificationConnector,
  NotificationConnectorSettings,
  NotificationErrorCode,
  NotificationType,
  ProcessedNotification,
  Recipient,
} from './notification/notification-connector.ts';
