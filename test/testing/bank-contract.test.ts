import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBankConnector } from '../../src/connectors/bank/example-bank.ts';
import { bankConnectorContract } from '../../src/testing/index.ts';
import { exampleBank } from './example-bank-harness.ts';

const { harness, open, close } = exampleBank();
beforeAll(open);
afterAll(close);

describe('the connector to the example bank keeps the contract', () => {
  for (const check of bankConnectorContract(harness(createBankConnector))) {
    test.skipIf(check.skipped !== null)(check.name, check.run);
  }
});

describe('the contract test', () => {
  test('names what it cannot check, and refuses to run it', async () => {
    const offers = { releaseBlock: false };
    const {
      misbehave: _,
      statementEntry: __,
      connectNowhere: ___,
      ...poor
    } = harness(createBankConnector, offers);
    const skipped = bankConnectorContract(poor).filter((check) => check.skipped !== null);
    expect(skipped.map(({ id, skipped: why }) => `${id}: ${why}`)).toEqual(
      expect.arrayContaining([
        'initiatePayment.drop_after: the harness has no misbehave()',
        'reconciliationId.found: the harness has no statementEntry()',
        'blockFunds.unreachable: the harness has no connectNowhere()',
        'releaseBlock.frees: the harness says offers.releaseBlock: false',
      ]),
    );
    await expect(skipped[0]?.run()).rejects.toThrow(/cannot run: the harness /);
  });

  test('has the same checks for every harness, each with a name of its own', () => {
    const full = bankConnectorContract(harness(createBankConnector));
    const { misbehave: _, received: __, ...poor } = harness(createBankConnector);
    expect(bankConnectorContract(poor).map(({ id }) => id)).toEqual(full.map(({ id }) => id));
    expect(new Set(full.map(({ id }) => id)).size).toBe(full.length);
    expect(new Set(full.map(({ name }) => name)).size).toBe(full.length);
  });

  test('skips faults that the harness cannot cause', () => {
    const limited = { ...harness(createBankConnector), faults: ['drop_before'] as const };
    const reasons = bankConnectorContract(limited).map((check) => `${check.id}: ${check.skipped}`);
    expect(reasons).toContain('initiatePayment.drop_before: null');
    expect(reasons).toContain('initiatePayment.hang: the harness cannot do the fault hang');
  });
});
