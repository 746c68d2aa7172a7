import type { z } from 'zod';
import type { CallContext } from '../call-context.ts';
import { ConnectorError } from '../connector-error.ts';
import { oneLine } from '../foreign-text.ts';
import { createHttpClient, type HttpClient, type HttpFailureReason, type HttpOutcome } from '../http.ts';
import type {
  BankConnector,
  BankConnectorSettings,
  BlockFundsRequest,
  BlockOutcome,
  CheckFundsRequest,
  PaymentInquiry,
  PaymentOutcome,
  PaymentRequest,
  Refused,
  ReleaseBlockRequest,
  Unknown,
} from './bank-connector.ts';
import {
  blockFundsAnswer,
  checkFundsAnswer,
  NARRATIVES_MAX,
  paymentAnswer,
  paymentStatusAnswer,
  toWirePayment,
} from './example-bank-wire.ts';
import { reconciliationId, reversalReason } from './statement-texts.ts';

/**
 * The connector to the example sponsor bank, and the model for others: plain JSON over HTTP with an `Idempotency-Key`
 * on the calls that move money and `/payment_status` to ask about a key.
 *
 * @throws TypeError when `settings.apiUrl` is not a URL
 */
export function createBankConnector(settings: BankConnectorSettings): BankConnector {
  const client = createHttpClient(settings.apiUrl, settings);
  return {
    blockIsIdempotent: true,
    checkFunds: (request, ctx) => checkFunds(client, request, ctx),
    blockFunds: (request, ctx) => blockFunds(client, request, ctx),
    initiatePayment: (request, ctx) => initiatePayment(client, request, ctx),
    inquirePayment: (idempotencyKey, ctx) => inquirePayment(client, idempotencyKey, ctx),
    releaseBlock: (request, ctx) => releaseBlock(client, request, ctx),
    reconciliationId,
    reversalReason,
    close: () => client.close(),
  };
}

async function checkFunds(
  client: HttpClient,
  request: CheckFundsRequest,
  ctx: CallContext,
): Promise<{ readonly available: boolean }> {
  requireAmount(request.amount);
  const body = {
    account_number: request.accountNumber,
    account_currency: request.currency,
    total_funds_needed: request.amount,
  };
  const outcome = await client.postJson('/check_funds', JSON.stringify(body), {}, ctx.signal);
  if (outcome.kind === 'failure') throw faultOf(outcome);
  if (!isDecision(outcome.status)) throw new ConnectorError('BANK_ERROR', serverErrorMessage(outcome.status));
  const answer = checkFundsAnswer.safeParse(outcome.json);
  if (!answer.success)
    throw new ConnectorError('BANK_BAD_ANSWER', unreadableMessage(outcome.status, answer.error));
  if (answer.data.status === 'failed') {
    const reason = oneLine(answer.data.error_message, [request.accountNumber]);
    throw new ConnectorError('BANK_REFUSED', `The bank did not check the funds: ${reason}.`);
  }
  const { account_number: account, has_sufficient_funds: available } = answer.data;
  if (typeof available !== 'boolean' || (account ?? request.accountNumber) !== request.accountNumber) {
    throw new ConnectorError('BANK_BAD_ANSWER', 'The bank answered about another account, or about none.');
  }
  return { available };
}

async function blockFunds(
  client: HttpClient,
  request: BlockFundsRequest,
  ctx: CallContext,
): Promise<BlockOutcome> {
  requireAmount(request.amount);
  const body = { account_number: request.accountNumber, currency: request.currency, amount: request.amount };
  const sent = await post(client, '/block_funds', body, request.idempotencyKey, ctx, blockFundsAnswer);
  if ('outcome' in sent) return sent;
  if (sent.answer.status === 'failed') return refused(sent.answer.error_message, [request.accountNumber]);
  return isSuccess(sent.status)
    ? { outcome: 'accepted', blockReference: sent.answer.block_reference_no }
    : unknown(serverErrorMessage(sent.status));
}

async function initiatePayment(
  client: HttpClient,
  request: PaymentRequest,
  ctx: CallContext,
): Promise<PaymentOutcome> {
  for (const payment of request.payments) {
    requireAmount(payment.paymentAmount);
    requireRoomForNarratives(payment.narratives);
  }
  const body = request.payments.map(toWirePayment);
  const sent = await post(client, '/initiate_payment', body, request.idempotencyKey, ctx, paymentAnswer);
  if ('outcome' in sent) return sent;
  if (sent.answer.status === 'failed') return refused(sent.answer.error_message, accountsOf(request));
  return isSuccess(sent.status) ? { outcome: 'accepted' } : unknown(serverErrorMessage(sent.status));
}

async function inquirePayment(
  client: HttpClient,
  idempotencyKey: string,
  ctx: CallContext,
): Promise<PaymentInquiry> {
  const body = JSON.stringify({ idempotency_key: idempotencyKey });
  const outcome = await client.postJson('/payment_status', body, {}, ctx.signal);
  if (outcome.kind === 'failure') return { status: 'unavailable', message: outcome.message };
  if (!isSuccess(outcome.status))
    return { status: 'unavailable', message: serverErrorMessage(outcome.status) };
  const answer = paymentStatusAnswer.safeParse(outcome.json);
  if (!answer.success)
    return { status: 'unavailable', message: unreadableMessage(outcome.status, answer.error) };
  const { status, payments, error_message: reason } = answer.data;
  if (status === 'rejected') return { status, message: oneLine(reason) };
  if (status === 'unknown') return { status: 'never_seen' };
  return { status, paymentReferences: payments?.map((payment) => payment.payment_reference_number) ?? null };
}

/**
 * Releasing is harmless to repeat, so every failure is a fault that the pipeline tries again; but not where the bank has no
 * such path, as the example bank of the Python system: there a person must see to it.
 */
async function releaseBlock(
  client: HttpClient,
  request: ReleaseBlockRequest,
  ctx: CallContext,
): Promise<void> {
  const body = { account_number: request.accountNumber, block_reference_no: request.blockReference };
  requireKey(request.idempotencyKey);
  const headers = { 'idempotency-key': request.idempotencyKey };
  const outcome = await client.postJson('/release_funds', JSON.stringify(body), headers, ctx.signal);
  if (outcome.kind === 'failure') throw faultOf(outcome);
  if (NO_SUCH_PATH.includes(outcome.status)) {
    throw new ConnectorError('RELEASE_NOT_SUPPORTED', 'The bank does not give blocks back by itself.', false);
  }
  if (!isDecision(outcome.status)) throw new ConnectorError('BANK_ERROR', serverErrorMessage(outcome.status));
  const answer = paymentAnswer.safeParse(outcome.json);
  if (!answer.success)
    throw new ConnectorError('BANK_BAD_ANSWER', unreadableMessage(outcome.status, answer.error));
  if (answer.data.status === 'failed') {
    const reason = oneLine(answer.data.error_message, [request.accountNumber]);
    throw new ConnectorError('BANK_REFUSED', `The bank did not give the block back: ${reason}.`, false);
  }
  if (!isSuccess(outcome.status)) throw new ConnectorError('BANK_ERROR', serverErrorMessage(outcome.status));
}

/** What a server answers that does not know a path. */
const NO_SUCH_PATH: readonly number[] = [404, 405, 501];

/**
 * Sends a call that moves money and sorts out everything that is not a readable decision of the bank.
 *
 * @throws ConnectorError when nothing was sent
 */
async function post<T>(
  client: HttpClient,
  path: string,
  body: unknown,
  idempotencyKey: string,
  ctx: CallContext,
  schema: z.ZodType<T>,
): Promise<Unknown | { readonly status: number; readonly answer: T }> {
  requireKey(idempotencyKey);
  const headers = { 'idempotency-key': idempotencyKey };
  const outcome = await client.postJson(path, JSON.stringify(body), headers, ctx.signal);
  if (outcome.kind === 'failure') {
    if (!outcome.sent) throw faultOf(outcome);
    return unknown(outcome.message);
  }
  if (!isDecision(outcome.status)) return unknown(serverErrorMessage(outcome.status));
  const answer = schema.safeParse(outcome.json);
  if (!answer.success) return unknown(unreadableMessage(outcome.status, answer.error));
  return { status: outcome.status, answer: answer.data };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * Whether an HTTP status lets the body speak for the bank. A server error does not, nor a redirection, nor the client
 * errors that a proxy may give while the bank acts (408, 425, 429), nor a conflict (409): there the bank has seen the
 * key before, with what outcome only an inquiry can tell.
 */
function isDecision(status: number): boolean {
  return isSuccess(status) || (status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status));
}

function refused(reason: string | null | undefined, accounts: Iterable<string>): Refused {
  return {
    outcome: 'refused',
    code: 'BANK_REFUSED',
    message: `The bank refused: ${oneLine(reason, accounts)}.`,
  };
}

function accountsOf(request: PaymentRequest): ReadonlySet<string> {
  return new Set(
    request.payments.flatMap((payment) => [payment.remittingAccount, payment.beneficiaryAccount ?? '']),
  );
}

function unknown(message: string): Unknown {
  return { outcome: 'unknown', message };
}

const CODE_OF_FAILURE = {
  unreachable: 'BANK_UNREACHABLE',
  timeout: 'BANK_TIMEOUT',
  aborted: 'BANK_CALL_ABORTED',
  broken: 'BANK_CONNECTION_LOST',
  oversized: 'BANK_BAD_ANSWER',
} as const satisfies Record<HttpFailureReason, string>;

/** A failure as an exception; a deadline that passed while waiting for a connection counts as unreachable. */
function faultOf(outcome: Extract<HttpOutcome, { kind: 'failure' }>): ConnectorError {
  const reason = outcome.reason === 'timeout' && !outcome.sent ? 'unreachable' : outcome.reason;
  return new ConnectorError(CODE_OF_FAILURE[reason], `The bank gave no answer. ${outcome.message}`);
}

function serverErrorMessage(status: number): string {
  return `The bank answered HTTP ${status}.`;
}

/** Names the field that does not fit, never its value, which may be an account number. */
function unreadableMessage(status: number, error: z.ZodError): string {
  const where = error.issues[0]?.path.join('.') || 'the body';
  return `The bank answered HTTP ${status}, but not in the agreed form: ${where} does not fit.`;
}

/** @throws ConnectorError when the text is not an exact decimal, which must never reach a bank */
function requireAmount(amount: string): void {
  if (/^\d{1,30}(\.\d{1,18})?$/.test(amount)) return;
  throw new ConnectorError('BANK_BAD_REQUEST', `"${oneLine(amount)}" is not a decimal amount.`, false);
}

/** @throws ConnectorError when lines would be lost, the payment's own id among them */
function requireRoomForNarratives(narratives: readonly string[]): void {
  if (narratives.length <= NARRATIVES_MAX) return;
  throw new ConnectorError(
    'BANK_BAD_REQUEST',
    `A payment has ${narratives.length} narrative lines, more than ${NARRATIVES_MAX}.`,
    false,
  );
}

/** @throws ConnectorError when the key cannot stand in a header, so that the bank would not recognise it */
function requireKey(idempotencyKey: string): void {
  if (/^[\x21-\x7e]{1,200}$/.test(idempotencyKey)) return;
  throw new ConnectorError(
    'BANK_BAD_REQUEST',
    'The idempotency key is not 1 to 200 visible characters.',
    false,
  );
}
