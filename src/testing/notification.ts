import type {
  Notification,
  NotificationAnswer,
  NotificationConnector,
} from '../connectors/notification/notification-connector.ts';
import type { Awaitable } from './bank/harness.ts';
import type { ContractCheck, Judge } from './check.ts';
import { requireConnectorError, requireSentence } from './connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS } from './http-fault.ts';
import { type PortHarness, type PortTrial, portCheck } from './port.ts';

/** What the contract test needs of a notification connector and its service. */
export interface NotificationHarness extends PortHarness<NotificationConnector> {
  /** A notification that the service will take, with an id that was never used. */
  notification(): Awaitable<Notification>;
  /** A notification that the service will not take, whatever is tried. */
  unacceptable?(): Awaitable<Notification>;
  /** How often a notification was delivered to its recipient. */
  delivered(notificationId: string): Awaitable<number>;
}

const SEND = { where: 'NotificationConnector.send' };
const ANSWERS = {
  ...SEND,
  rule: 'send gives one answer per notification, in the same order, and an empty list for an empty list.',
  remedy: 'Go through the notifications, and look up what the service said about each.',
};
const ONCE = {
  where: 'NotificationConnector, its first rule',
  rule: 'A notification is delivered once, however often it is sent.',
  remedy: 'Hand notificationId to the service as the id by which it knows repetitions.',
};
const RESPONSE_CHARS_MAX = 2_000;

type Trial = PortTrial<NotificationConnector>;

/** The contract of {@link NotificationConnector}; see `bankConnectorContract` for how checks are run. */
export function notificationConnectorContract(harness: NotificationHarness): readonly ContractCheck[] {
  const some = (count: number) =>
    Promise.all(Array.from({ length: count }, async () => harness.notification()));
  return [
    portCheck(
      harness,
      { ...ANSWERS, id: 'send.in_order', name: 'send answers every notification in its order' },
      async (trial) => {
        const notifications = await some(Math.min(3, bulkMaxOf(trial)));
        const answers = await sent(trial, notifications);
        for (const { outcome } of answers)
          trial.judge.require(outcome === 'processed', `an answer was ${outcome}`);
        for (const { notificationId } of notifications)
          await requireDelivered(trial.judge, harness, notificationId);
      },
    ),
    portCheck(
      harness,
      { ...ANSWERS, id: 'send.empty', name: 'send of nothing is answered by nothing' },
      async (trial) => {
        await sent(trial, []);
      },
    ),
    portCheck(
      harness,
      { ...ONCE, id: 'send.twice', name: 'send delivers once what is sent twice' },
      async (trial) => {
        const [one] = await some(1);
        for (let n = 0; n < 2; n += 1) {
          const [answer] = await sent(trial, one ? [one] : []);
          trial.judge.require(
            answer?.outcome === 'processed',
            `answer ${n + 1} was ${JSON.stringify(answer)}`,
          );
        }
        await requireDelivered(trial.judge, harness, one?.notificationId ?? '');
      },
    ),
    portCheck(
      harness,
      {
        ...ONCE,
        id: 'send.recovered',
        name: 'send delivers once what is sent again after a lost answer',
        fault: 'drop_after',
      },
      async (trial) => {
        const [one] = await some(1);
        await harness.misbehave?.('drop_after');
        const [lost] = await sent(trial, one ? [one] : []);
        trial.judge.require(
          lost?.outcome === 'failed' && lost.retryable,
          `the lost answer was ${JSON.stringify(lost)}, not one that may be retried`,
        );
        await harness.misbehave?.(null);
        const [again] = await sent(trial, one ? [one] : []);
        trial.judge.require(again?.outcome === 'processed', `the second answer was ${JSON.stringify(again)}`);
        await requireDelivered(trial.judge, harness, one?.notificationId ?? '');
      },
    ),
    portCheck(
      harness,
      {
        ...SEND,
        id: 'send.one_bad',
        name: 'send delivers the others when the service will not take one',
        rule: 'One notification that the service will not take does not keep others of the call from being sent.',
        remedy: 'Send the others again without it, or one by one.',
      },
      async (trial) => {
        const [first, last] = await some(2);
        const bad = await harness.unacceptable?.();
        if (!first || !last || !bad) throw new Error('The harness made no notifications.');
        const answers = await sent(trial, [first, bad, last]);
        const outcomes = answers.map(({ outcome }) => outcome).join(', ');
        trial.judge.require(outcomes === 'processed, failed, processed', `the outcomes were ${outcomes}`);
      },
      harness.unacceptable ? null : 'the harness has no unacceptable()',
    ),
    ...refusals(harness, some),
    ...failures(harness, some),
  ];
}

type Some = (count: number) => Promise<readonly Notification[]>;

/** Calls that are thrown back. */
function refusals(harness: NotificationHarness, some: Some): readonly ContractCheck[] {
  const rule = {
    ...SEND,
    rule: 'send throws for a list that must not be sent (NOTIFICATION_BAD_REQUEST, final) and for an aborted signal.',
    remedy: 'Check the list and ctx.signal before anything is sent; every other fault is an answer.',
  };
  const bad = (id: string, name: string, listOf: (bulkMax: number) => Promise<readonly Notification[]>) =>
    portCheck(harness, { ...rule, id, name }, async (trial) => {
      const list = await listOf(bulkMaxOf(trial));
      const ended = await trial.ended((ctx) => trial.connector.send(list, ctx));
      requireConnectorError(trial.judge, ended, 'the list must not be sent', secretsOf(list), false);
    });
  return [
    bad('send.same_id', 'send refuses a list with one id twice', async () => {
      const [one] = await some(1);
      return one ? [one, one] : [];
    }),
    bad('send.too_many', 'send refuses a list longer than bulkMax', (bulkMax) => some(bulkMax + 1)),
    portCheck(
      harness,
      { ...rule, id: 'send.aborted_before', name: 'send does not begin when its signal is aborted' },
      async (trial) => {
        const list = await some(1);
        const ended = await trial.ended((ctx) => trial.connector.send(list, ctx), AbortSignal.abort());
        requireConnectorError(trial.judge, ended, 'the call was aborted', secretsOf(list), true);
        const { notificationId = '' } = list[0] ?? {};
        trial.judge.require((await harness.delivered(notificationId)) === 0, 'it was delivered all the same');
      },
    ),
  ];
}

/** Failures of the service, which are answers. */
function failures(harness: NotificationHarness, some: Some): readonly ContractCheck[] {
  const rule = {
    ...SEND,
    rule: 'A fault of the service is an answer { outcome: "failed" } for every notification, with code and message.',
    remedy: 'Catch what the HTTP client throws, and answer for each notification.',
  };
  const failed = async (trial: Trial, retryable?: boolean) => {
    const list = await some(Math.min(2, bulkMaxOf(trial)));
    for (const answer of await sent(trial, list)) {
      if (answer.outcome !== 'failed') trial.judge.fail(`an answer was ${JSON.stringify(answer)}`);
      requireSentence(trial.judge, answer.message, secretsOf(list));
      if (retryable !== undefined)
        trial.judge.require(
          answer.retryable === retryable,
          `${answer.code} says retryable: ${answer.retryable}`,
        );
    }
  };
  return [
    ...HTTP_FAULT_NAMES.map((fault) =>
      portCheck(
        harness,
        {
          ...rule,
          id: `send.${fault}`,
          name: `send answers that it failed when ${HTTP_FAULTS[fault].meaning}`,
          fault,
        },
        async (trial) => {
          await harness.misbehave?.(fault);
          await failed(trial);
        },
      ),
    ),
    portCheck(
      harness,
      {
        ...rule,
        id: 'send.unreachable',
        name: 'send answers that it may be retried when nobody listens',
        nowhere: true,
      },
      (trial) => failed(trial, true),
    ),
  ];
}

function bulkMaxOf({ connector, judge }: Trial): number {
  const { bulkMax } = connector;
  judge.require(Number.isInteger(bulkMax) && bulkMax >= 1, `bulkMax is ${bulkMax}, no whole number from 1`);
  return bulkMax;
}

/** Sends, and fails unless there is one well-formed answer for each, in order. */
async function sent(
  { connector, judge, value }: Trial,
  list: readonly Notification[],
): Promise<readonly NotificationAnswer[]> {
  const answers = await value((ctx) => connector.send(list, ctx));
  const ids = answers.map(({ notificationId }) => notificationId).join(', ');
  const expected = list.map(({ notificationId }) => notificationId).join(', ');
  judge.require(ids === expected, `the answers are about [${ids}], not [${expected}]`);
  for (const { response } of answers)
    judge.require(
      (response?.length ?? 0) <= RESPONSE_CHARS_MAX,
      `a response has ${response?.length} characters`,
    );
  return answers;
}

async function requireDelivered(judge: Judge, harness: NotificationHarness, id: string): Promise<void> {
  const times = await harness.delivered(id);
  judge.require(times === 1, `the notification was delivered ${times} times`);
}

/** What must not stand in a message about notifications. */
function secretsOf(list: readonly Notification[]): readonly string[] {
  return list.flatMap(({ recipient: { name, email, phone } }) =>
    [name, email, phone].filter((text) => text !== null),
  );
}
