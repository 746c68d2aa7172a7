import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { Sql } from 'postgres';
import type { z } from 'zod';
import type { Answer, Route } from '../shared/routes.ts';
import { check } from '../shared/validation.ts';
import { type EventResult, takeEvents } from './events.ts';
import { type Bulk, bulkSchema, type Event, eventSchema } from './requests.ts';
import type { Rules } from './rules.ts';

/** What Novu's paths work with. */
export interface Novu {
  sql: Sql;
  rules: Rules;
  /** The secret key that requests must carry; null asks for none. */
  apiKey: string | null;
  /** How long every request takes besides its work, in milliseconds. */
  delayMs: number;
}

/** Where events are triggered one by one. */
export const triggerPath = '/v1/events/trigger';
/** Where many are triggered at once. */
export const bulkPath = '/v1/events/trigger/bulk';

/** One event. What is wrong with it is the request's error; a workflow that is not ready is its status. */
export function triggerRoute(novu: Novu): Route<Event> {
  return {
    method: 'POST',
    path: triggerPath,
    read: (request) => read(novu, request, eventSchema),
    handle: async (event) => {
      if (novu.delayMs > 0) await wait(novu.delayMs);
      const [result] = await takeEvents(novu.sql, [event], novu.rules, false);
      return result?.status === 'error' ? workflowNotFound() : created(result);
    },
    refusal: workflowNotFound,
  };
}

/** Up to a hundred events. What is wrong with one of them is its status, unless it is malformed. */
export function bulkRoute(novu: Novu): Route<Bulk> {
  return {
    method: 'POST',
    path: bulkPath,
    read: (request) => read(novu, request, bulkSchema),
    handle: async ({ events }) => {
      if (novu.delayMs > 0) await wait(novu.delayMs);
      return created(await takeEvents(novu.sql, events, novu.rules, true));
    },
    refusal: ({ events }) =>
      created(
        events.map(
          (): EventResult => ({ acknowledged: true, status: 'error', error: ['workflow_not_found'] }),
        ),
      ),
  };
}

function read<T>(
  novu: Novu,
  request: FastifyRequest,
  schema: z.ZodType<T>,
): { value: T } | { answer: Answer } {
  if (novu.apiKey !== null && request.headers.authorization !== `ApiKey ${novu.apiKey}`) {
    return { answer: errorAnswer(401, request.url, { message: 'API Key not found' }) };
  }
  const checked = check(schema, request.body);
  if ('value' in checked) return checked;
  const errors = { general: { messages: [checked.problem] } };
  return { answer: errorAnswer(422, request.url, { message: 'Validation Error', errors }) };
}

function created(data: unknown): Answer {
  return { status: 201, body: { data } };
}

function workflowNotFound(): Answer {
  return errorAnswer(422, triggerPath, { message: 'workflow_not_found' });
}

function errorAnswer(statusCode: number, path: string, more: object): Answer {
  return { status: statusCode, body: { statusCode, timestamp: new Date().toISOString(), path, ...more } };
}
