import type { TriggerEventRequestDto } from '@novu/api/models/components/triggereventrequestdto.js';
import { z } from 'zod';
import type { Notification, NotificationType } from './notification-connector.ts';

/**
 * What Novu answers about one event. Read more leniently than Novu's client does, which gives up a whole bulk when one
 * of its answers has a status that it does not know.
 */
const eventAnswerSchema = z.object({
  acknowledged: z.boolean(),
  status: z.string(),
  error: z.union([z.string(), z.array(z.unknown())]).nullish(),
  transactionId: z.string().nullish(),
});

/** What Novu answered about one event. */
export interface EventAnswer {
  readonly acknowledged: boolean;
  readonly status: string;
  /** Why, where Novu says so. */
  readonly reason: string | null;
  /** The answer as it came. */
  readonly text: string;
}

/** A notification as an event of Novu; what is not known about the recipient is left out. */
export function toEvent(
  notification: Notification,
  workflowIds: Readonly<Record<NotificationType, string>>,
): TriggerEventRequestDto {
  const { subscriberId, name, email, phone } = notification.recipient;
  return {
    workflowId: workflowIds[notification.type],
    to: {
      subscriberId,
      ...(name !== null && name !== '' && { firstName: name }),
      ...(email !== null && { email }),
      ...(phone !== null && { phone }),
    },
    payload: notification.payload,
    transactionId: notification.notificationId,
  };
}

/**
 * Finds the answer to each notification in the body of a successful answer.
 *
 * Novu answers a bulk in the order of its events and repeats their transaction ids, but leaves the id out where an
 * event failed. An answer that carries an id therefore belongs to that notification; one without, to the notification
 * of its place, provided that no answer is missing or added.
 *
 * @returns the answers by notification id, without those that are missing or unreadable; null when the body is not
 *   that of an answer at all
 */
export function readAnswers(
  text: string,
  notifications: readonly Notification[],
): ReadonlyMap<string, EventAnswer> | null {
  const list = listOf(text, notifications.length === 1);
  if (list === null) return null;
  const items = list.map((item) => ({ item, read: eventAnswerSchema.safeParse(item).data }));
  const itemById = new Map(items.map((one) => [one.read?.transactionId, one]));
  const answers = new Map<string, EventAnswer>();
  for (const [place, { notificationId }] of notifications.entries()) {
    const inPlace = items.length === notifications.length ? items[place] : undefined;
    const found =
      itemById.get(notificationId) ?? (inPlace?.read?.transactionId == null ? inPlace : undefined);
    if (found?.read === undefined) continue;
    const { acknowledged, status, error } = found.read;
    answers.set(notificationId, {
      acknowledged,
      status,
      reason: reasonOf(error),
      text: JSON.stringify(found.item),
    });
  }
  return answers;
}

/** The list of answers in a body, with or without the `data` around it; a single answer is a list of one. */
function listOf(text: string, single: boolean): readonly unknown[] | null {
  const body = parseJson(text);
  const data = isObject(body) && 'data' in body ? body.data : body;
  if (Array.isArray(data)) return data;
  return single && eventAnswerSchema.safeParse(data).success ? [data] : null;
}

function reasonOf(error: string | readonly unknown[] | null | undefined): string | null {
  if (error == null) return null;
  const parts = typeof error === 'string' ? [error] : error;
  return parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join('; ') || null;
}

/** The explanation in the body of an error; null when there is none. */
export function errorMessageOf(text: string): string | null {
  const body = parseJson(text);
  if (!isObject(body) || (typeof body.message !== 'string' && !Array.isArray(body.message))) return null;
  return reasonOf(body.message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The parsed text; undefined when it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
