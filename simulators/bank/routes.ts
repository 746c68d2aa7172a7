import type { FastifyRequest } from 'fastify';
import type { Sql } from 'postgres';
import type { z } from 'zod';
import type { Answer, Route } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';
import { type Checked, check } from '../shared/validation.ts';
import { blockFunds, checkFunds, releaseFunds } from './funds.ts';
import { initiatePayments, paymentStatus } from './payments.ts';
import {
  type BlockFunds,
  blockFundsSchema,
  type CheckFunds,
  checkFundsSchema,
  generateStatementSchema,
  type Payment,
  paymentStatusSchema,
  paymentsSchema,
  type ReleaseFunds,
  releaseFundsSchema,
  type Ussd,
  ussdSchema,
} from './requests.ts';
import type { Returns } from './returns.ts';
import { generateStatement } from './statements.ts';
import { actOnce, hashOf, type Submission } from './submissions.ts';
import { ussdMenu } from './ussd.ts';

const keyPattern = /^[\x21-\x7e]{1,200}$/;

/** What the bank's paths work with. */
export interface Bank {
  sql: Sql;
  returns: Returns;
  statementEntriesMax: number;
  /** Called when accounts were debited. */
  onMoved: (accountNumbers: readonly string[]) => void;
  /** Called when a statement was made; `returned` when payments came back behind it. */
  onStatement: (accountNumber: string, returned: boolean) => void;
}

interface Keyed<T> {
  value: T;
  submission: Submission | null;
}

export function checkFundsRoute(bank: Bank): Route<CheckFunds> {
  return {
    method: 'POST',
    path: '/check_funds',
    read: (request) => orBadRequest(check(checkFundsSchema, request.body)),
    handle: (value) => checkFunds(bank.sql, value),
    refusal: (value) => refusal({ account_number: value.account_number, has_sufficient_funds: false }),
  };
}

export function blockFundsRoute(bank: Bank): Route<Keyed<BlockFunds>> {
  return {
    method: 'POST',
    path: '/block_funds',
    read: (request) => readKeyed(request, check(blockFundsSchema, request.body)),
    handle: ({ value, submission }) => blockFunds(bank.sql, value, submission),
    refusal: ({ submission }) => refuseOnce(bank, submission, { block_reference_no: null }),
  };
}

export function releaseFundsRoute(bank: Bank): Route<Keyed<ReleaseFunds>> {
  return {
    method: 'POST',
    path: '/release_funds',
    read: (request) => readKeyed(request, check(releaseFundsSchema, request.body)),
    handle: ({ value, submission }) => releaseFunds(bank.sql, value, submission),
    refusal: ({ submission }) => refuseOnce(bank, submission, {}),
  };
}

export function initiatePaymentRoute(bank: Bank): Route<Keyed<Payment[]>> {
  return {
    method: 'POST',
    path: '/initiate_payment',
    read: (request) => readKeyed(request, check(paymentsSchema, request.body)),
    handle: async ({ value, submission }) => {
      const paid = await initiatePayments(bank.sql, value, submission, bank.returns);
      bank.onMoved(paid.debitedAccounts);
      return paid.answer;
    },
    refusal: ({ submission }) => refuseOnce(bank, submission, {}),
  };
}

export function paymentStatusRoute(bank: Bank): Route<z.infer<typeof paymentStatusSchema>> {
  return {
    method: 'POST',
    path: '/payment_status',
    read: (request) => orBadRequest(check(paymentStatusSchema, request.body)),
    handle: (value) => paymentStatus(bank.sql, value.idempotency_key),
    refusal: () => refusal({ payments: [] }),
  };
}

export function generateStatementRoute(bank: Bank): Route<z.infer<typeof generateStatementSchema>> {
  return {
    method: 'POST',
    path: '/generate_account_statement',
    read: (request) => orBadRequest(check(generateStatementSchema, request.body)),
    handle: async ({ program_account_number: accountNumber }) => {
      const { answer, made } = await generateStatement(bank.sql, accountNumber, bank.statementEntriesMax);
      bank.onStatement(accountNumber, made.returns > 0);
      return answer;
    },
    refusal: () => refusal({ account_statement_id: null }),
  };
}

export function ussdRoute(bank: Bank): Route<Ussd> {
  return {
    method: 'POST',
    path: '/ussd',
    read: (request) => orBadRequest(check(ussdSchema, request.body)),
    handle: async (value) => ({ status: 200, body: await ussdMenu(bank.sql, value) }),
    refusal: () => ({ status: 200, body: 'END The service is not available.' }),
  };
}

function readKeyed<T>(
  request: FastifyRequest,
  checked: Checked<T>,
): { value: Keyed<T> } | { answer: Answer } {
  const read = orBadRequest(checked);
  if ('answer' in read) return read;
  const key = request.headers['idempotency-key'];
  if (key === undefined) return { value: { value: read.value, submission: null } };
  if (typeof key !== 'string' || !keyPattern.test(key)) {
    return orBadRequest({ problem: 'Idempotency-Key: must be 1 to 200 printable characters' });
  }
  return { value: { value: read.value, submission: { key, bodyHash: hashOf(request.url, read.value) } } };
}

function orBadRequest<T>(checked: Checked<T>): { value: T } | { answer: Answer } {
  return 'problem' in checked ? { answer: { status: 400, body: failure(checked.problem) } } : checked;
}

/** A key that is known gets its first answer, whatever is set; otherwise the refusal is remembered, as any other is. */
async function refuseOnce(bank: Bank, submission: Submission | null, fields: object): Promise<Answer> {
  const { answer } = await actOnce(bank.sql, submission, async () => ({
    accepted: false,
    answer: refusal(fields),
    booked: [],
  }));
  return answer;
}

function refusal(fields: object): Answer {
  return { status: 200, body: { ...failure('The bank refuses this request.'), ...fields } };
}
