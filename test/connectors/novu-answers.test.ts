import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { json } from './http-servers.ts';
import {
  answering,
  answeringAlways,
  CTX,
  closeOpened,
  note,
  notes,
  novuAt,
  processed,
} from './novu-notes.ts';

afterEach(closeOpened);

describe('the answer to one notification', () => {
  test.each<[string, number, unknown, string, boolean]>([
    ['a fault', 500, { message: 'Internal Server Error' }, 'NOTIFICATION_SERVICE_UNAVAILABLE', true],
    ['a fault in no form', 502, '<html>Bad Gateway', 'NOTIFICATION_SERVICE_UNAVAILABLE', true],
    ['a time-out of a proxy', 408, {}, 'NOTIFICATION_SERVICE_UNAVAILABLE', true],
    ['no such path', 404, { message: 'Cannot POST' }, 'NOTIFICATION_REFUSED', false],
    ['a refusal', 422, { message: 'workflow_not_found' }, 'NOTIFICATION_REFUSED', false],
    ['a refusal in no form', 400, 'no', 'NOTIFICATION_REFUSED', false],
    ['a refusal of the key in no form', 401, '{', 'NOTIFICATION_UNAUTHORIZED', false],
    ['a refusal of access', 403, { message: ['a', { b: 1 }] }, 'NOTIFICATION_UNAUTHORIZED', false],
    ['a redirection', 302, '', 'NOTIFICATION_BAD_ANSWER', true],
    ['nothing', 201, '', 'NOTIFICATION_BAD_ANSWER', true],
    ['no JSON', 201, '<html>', 'NOTIFICATION_BAD_ANSWER', true],
    ['another form', 201, { data: { status: 'processed' } }, 'NOTIFICATION_BAD_ANSWER', true],
    ['a number', 201, '7', 'NOTIFICATION_BAD_ANSWER', true],
    ['about another', 201, { data: processed('n-2') }, 'NOTIFICATION_NOT_ANSWERED', true],
    ['an empty list', 201, { data: [] }, 'NOTIFICATION_NOT_ANSWERED', true],
    [
      'an unknown status',
      201,
      { data: { ...processed('n-1'), status: 'throttled' } },
      'NOTIFICATION_NOT_PROCESSED',
      false,
    ],
    [
      'processed without being acknowledged',
      201,
      { data: { ...processed('n-1'), acknowledged: false } },
      'NOTIFICATION_NOT_PROCESSED',
      true,
    ],
    [
      'an error',
      201,
      { data: { acknowledged: true, status: 'error', error: 'x' } },
      'NOTIFICATION_NOT_PROCESSED',
      true,
    ],
  ])('that is %s is a failure', async (_, status, body, code, retryable) => {
    const { server, novu } = await answeringAlways(status, body);
    expect(await novu.send([note('n-1')], CTX)).toMatchObject([
      {
        notificationId: 'n-1',
        outcome: 'failed',
        code,
        retryable,
        message: expect.stringMatching(/^Notification n-1 failed: .*\.$/),
      },
    ]);
    expect(server.received).toHaveLength(1);
  });

  test.each<[string, number, unknown]>([
    ['without the data around it', 201, processed('n-1')],
    ['without the transaction id', 201, { data: { acknowledged: true, status: 'processed' } }],
    ['with more than is known', 201, { data: { ...processed('n-1'), jobData: {}, error: null }, meta: 1 }],
    ['with another success', 200, { data: processed('n-1') }],
    ['in a list', 201, { data: [processed('n-1')] }],
  ])('is understood %s', async (_, status, body) => {
    const { novu } = await answeringAlways(status, body);
    expect(await novu.send([note('n-1')], CTX)).toMatchObject([{ outcome: 'processed' }]);
  });

  test('does not bring the recipient into the message', async () => {
    const { novu } = await answeringAlways(422, { message: 'Asha <asha@example.org> has no +911234567890' });
    const [answer] = await novu.send([note('n-1')], CTX);
    expect(answer).toMatchObject({
      message: 'Notification n-1 failed: Novu answered HTTP 422, … <…> has no ….',
    });
  });

  test.each([
    ['processed', 201, { data: { ...processed('n-1'), note: 'ä'.repeat(5_000) } }],
    ['refused', 422, `\u0000\ud800${'x'.repeat(5_000)}`],
  ])('is kept to 2,000 characters that a database takes: %s', async (_, status, body) => {
    const { novu } = await answeringAlways(status, body);
    const [answer] = await novu.send([note('n-1')], CTX);
    expect(answer?.response).toHaveLength(2_000);
    expect(answer?.response?.isWellFormed()).toBe(true);
    expect(answer?.response).not.toContain('\u0000');
  });
});

describe('the answer to several notifications', () => {
  test('is found by transaction id, or by place where an event failed', async () => {
    const failedOne = { acknowledged: true, status: 'error', error: ['boom'] };
    const { novu } = await answeringAlways(201, { data: [failedOne, processed('n-2'), processed('n-1')] });
    expect(await novu.send(notes(3), CTX)).toMatchObject([
      { notificationId: 'n-0', outcome: 'failed', code: 'NOTIFICATION_NOT_PROCESSED' },
      { notificationId: 'n-1', outcome: 'processed' },
      { notificationId: 'n-2', outcome: 'processed' },
    ]);
  });

  test('is not guessed from the place when an answer is missing', async () => {
    const failedOne = { acknowledged: true, status: 'error' };
    const { novu } = await answeringAlways(201, { data: [failedOne, processed('n-2')] });
    expect(await novu.send(notes(3), CTX)).toMatchObject([
      { code: 'NOTIFICATION_NOT_ANSWERED', retryable: true, response: null },
      { code: 'NOTIFICATION_NOT_ANSWERED' },
      { outcome: 'processed' },
    ]);
  });

  test.each<[string, number, unknown, string]>([
    ['a fault', 503, 'x', 'NOTIFICATION_SERVICE_UNAVAILABLE'],
    ['no list', 201, { data: processed('n-0') }, 'NOTIFICATION_BAD_ANSWER'],
    ['no JSON', 201, '[', 'NOTIFICATION_BAD_ANSWER'],
    ['no such path', 404, {}, 'NOTIFICATION_REFUSED'],
  ])('that is %s is a failure of all, after one request', async (_, status, body, code) => {
    const { server, novu } = await answeringAlways(status, body);
    expect(await novu.send(notes(2), CTX)).toMatchObject([{ code }, { code }]);
    expect(server.received).toHaveLength(1);
  });

  test('never loses, adds or exchanges one, however the answers are shuffled, left out, repeated and mixed', async () => {
    let items: readonly unknown[] = [];
    const server = await answering((_, response) => json(response, 201, { data: items }));
    const novu = novuAt(server.url);
    const asked = notes(8);
    const ours = asked.map((one) => processed(one.notificationId));
    const garbage = fc.oneof(fc.jsonValue(), fc.constant({ acknowledged: true, status: 'error' }));
    const mixture = fc.array(fc.oneof(fc.constantFrom(...ours), garbage), { maxLength: 16 });
    const property = fc.asyncProperty(mixture, async (sent) => {
      items = sent;
      const answers = await novu.send(asked, CTX);
      expect(answers.map((answer) => answer.notificationId)).toEqual(asked.map((one) => one.notificationId));
      for (const [place, answer] of answers.entries()) {
        const said = ours[place];
        expect(answer.outcome === 'processed').toBe(said !== undefined && sent.includes(said));
        if (answer.outcome === 'processed') expect(answer.response).toBe(JSON.stringify(said));
      }
    });
    await fc.assert(property, { numRuns: 100 });
  });
});
