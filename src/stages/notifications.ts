import { type StageName, stageSettings } from '../config.ts';
import type {
  Notification,
  NotificationAnswer,
  NotificationConnector,
  NotificationType,
  Recipient,
} from '../connectors/notification/notification-connector.ts';
import type { Sql } from '../db/connection.ts';
import type { Actor } from '../runtime/actor.ts';
import { codeOf, isFinal, messageOf, notBeforeOf } from '../runtime/errors.ts';
import type { Outcome, Stage, Work } from '../runtime/stage.ts';
import type { StageContext } from './context.ts';

/** What one notification is about: a row for each record of a set. */
export interface NotificationRow {
  /** The record's id. */
  readonly id: string;
  readonly disbursement_envelope_id: string;
  /** Whether the envelope was cancelled; nobody is told then. */
  readonly cancelled: boolean;
  readonly recipient: Recipient;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Reads what is to be told about records. */
export type NotificationRows = (sql: Sql, ids: readonly string[]) => Promise<readonly NotificationRow[]>;

type Answer = Exclude<NotificationAnswer, { outcome: 'processed' }> | { readonly outcome: 'processed' };

/** One of the three notification stages. */
export interface NotificationKind {
  /** Also the region of the actor. */
  readonly stage: StageName;
  readonly actor: Actor;
  readonly type: NotificationType;
  readonly rowsOf: NotificationRows;
}

/** A stage that notifies about records of its actor, those that wait together with one call. */
export function notificationStage(context: StageContext, kind: NotificationKind): Stage {
  return {
    name: kind.stage,
    actor: kind.actor,
    region: kind.stage,
    ...stageSettings(context.config, kind.stage),
    concurrency: context.config.notification_concurrency,
    setSize: context.notifier?.bulkMax ?? 1,
    performSet: (set) => notifyAbout(context, kind, set),
  };
}

/**
 * Notifies about a set of records, with one call to the notification service, and keeps what was said in
 * `notification_logs`.
 *
 * A notification's id is made of the record's id and its type and never changes, so the service recognises one that is
 * sent again after its answer was lost; one whose answer we have is not sent again at all.
 *
 * @returns one outcome for each piece of work; a record that is refused does not harm the others
 * @throws CircuitOpenError while calls to the service pause; nothing is sent and nothing is logged then
 */
async function notifyAbout(
  context: StageContext,
  { type, rowsOf }: NotificationKind,
  set: readonly Work[],
): Promise<readonly Outcome[]> {
  const { notifier } = context;
  if (!notifier) return set.map(() => NOT_ENABLED);
  notifier.requireNotPaused();
  const { sql } = context.database;
  const found = await rowsOf(
    sql,
    set.map(({ id }) => id),
  );
  const rows = new Map(found.map((row) => [row.id, row]));
  const wanted = found
    .filter((row) => !row.cancelled)
    .map((row) => ({ row, notification: notificationOf(type, row) }));
  const toSend = await logAsSending(sql, wanted, nowOf(set));
  const sending = wanted
    .map(({ notification }) => notification)
    .filter(({ notificationId }) => toSend.has(notificationId));
  const answers = await send(notifier, sending, set);
  await logAnswers(sql, answers, nowOf(set));
  const byId = new Map(answers.map((answer) => [answer.notificationId, answer]));
  return set.map(({ id }) => {
    const row = rows.get(id);
    if (!row) return recordMissing(type, id);
    if (row.cancelled) return envelopeCancelled(row);
    return outcomeOf(byId.get(idOf(type, id)) ?? { outcome: 'processed' });
  });
}

const nowOf = ([first]: readonly Work[]): Date => first?.now() ?? new Date(0);

const idOf = (type: NotificationType, recordId: string): string => `${recordId}-${type}`;

const notificationOf = (
  type: NotificationType,
  { id, recipient, payload }: NotificationRow,
): Notification => ({ notificationId: idOf(type, id), type, recipient, payload });

/** @returns an answer for each: none that the connector forgets, or throws something about, is taken for sent */
async function send(
  notifier: NotificationConnector,
  notifications: readonly Notification[],
  set: readonly Work[],
): Promise<readonly NotificationAnswer[]> {
  if (notifications.length === 0) return [];
  const signal = AbortSignal.any(set.map((work) => work.signal));
  try {
    const answers = await notifier.send(notifications, { signal });
    const byId = new Map(answers.map((answer) => [answer.notificationId, answer]));
    return notifications.map((one) => byId.get(one.notificationId) ?? unanswered(one));
  } catch (error) {
    return notifications.map((one) => thrown(one, error));
  }
}

const unanswered = ({ notificationId }: Notification): NotificationAnswer => ({
  notificationId,
  outcome: 'failed',
  code: 'NOTIFICATION_NOT_ANSWERED',
  message: `Notification ${notificationId} failed: the connector did not answer about it.`,
  retryable: true,
  response: null,
});

function thrown({ notificationId }: Notification, error: unknown): NotificationAnswer {
  const notBefore = notBeforeOf(error);
  return {
    notificationId,
    outcome: 'failed',
    code: codeOf(error, 'INTERNAL_ERROR'),
    message: `Notification ${notificationId} failed: ${messageOf(error)}`,
    retryable: !isFinal(error),
    response: null,
    ...(notBefore && { notBefore }),
  };
}

/** Notes what is about to be sent. @returns the ids of what has not been delivered before */
async function logAsSending(
  sql: Sql,
  notifications: readonly { readonly row: NotificationRow; readonly notification: Notification }[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const rows = notifications.map(({ row, notification: { notificationId, type, recipient, payload } }) => ({
    notification_id: notificationId,
    notification_type: type,
    disbursement_envelope_id: row.disbursement_envelope_id,
    recipient: recipient.subscriberId,
    payload: JSON.stringify(payload),
  }));
  const logged = await sql<{ notification_id: string }[]>`
    insert into notification_logs (
      notification_id, notification_type, disbursement_envelope_id, recipient, payload, status, sent_at)
    select v.*, 'PENDING', ${now} from json_to_recordset(${JSON.stringify(rows)}::json) as v(
      notification_id text, notification_type text, disbursement_envelope_id text, recipient text, payload text)
    order by notification_id
    on conflict (notification_id) do update set
      recipient = excluded.recipient, payload = excluded.payload, status = excluded.status, sent_at = excluded.sent_at,
      response = null, error_message = null, processed_at = null
    where notification_logs.status <> 'PROCESSED'
    returning notification_id`;
  return new Set(logged.map(({ notification_id: id }) => id));
}

/** Keeps what was said. What is postponed stays PENDING, like its record: it has neither been sent nor failed. */
async function logAnswers(sql: Sql, answers: readonly NotificationAnswer[], now: Date): Promise<void> {
  if (answers.length === 0) return;
  const rows = answers.map((answer) => {
    const postponed = answer.outcome === 'failed' && answer.notBefore !== undefined;
    return {
      notification_id: answer.notificationId,
      status: answer.outcome === 'processed' ? 'PROCESSED' : postponed ? 'PENDING' : 'ERROR',
      response: answer.response,
      error_message: answer.outcome === 'failed' ? `${answer.code}: ${answer.message}` : null,
      processed_at: postponed ? null : now,
    };
  });
  await sql`
    update notification_logs l
    set status = v.status, response = v.response, error_message = v.error_message, processed_at = v.processed_at
    from (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as v(
        notification_id text, status text, response text, error_message text, processed_at timestamptz)
      order by notification_id
    ) v
    where l.notification_id = v.notification_id and l.status <> 'PROCESSED'`;
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.outcome === 'processed') return { kind: 'succeeded' };
  const { code, message, retryable, notBefore } = answer;
  return notBefore
    ? { kind: 'postponed', until: notBefore, code, message }
    : { kind: 'failed', code, message, final: !retryable };
}

const NOT_ENABLED: Outcome = {
  kind: 'failed',
  code: 'IN_KIND_NOT_ENABLED',
  message: 'No notification service is set up; set in_kind_enabled, restart and retry.',
  final: true,
};

const envelopeCancelled = ({ id, disbursement_envelope_id: envelope }: NotificationRow): Outcome => ({
  kind: 'failed',
  code: 'ENVELOPE_CANCELLED',
  message: `Envelope ${envelope} was cancelled, so nobody is told about ${id}.`,
  final: true,
});

const recordMissing = (type: NotificationType, id: string): Outcome => ({
  kind: 'failed',
  code: 'RECORD_NOT_FOUND',
  message: `There is no record ${id} to send a ${type} about.`,
  final: true,
});
