import { links } from '../../links.ts';
import { counted, nameText } from '../../text.ts';

/** One thing that an action was done to: in words, and where it is shown; null where it has no page. */
export interface TargetPart {
  readonly text: string;
  readonly href: string | null;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const idsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/**
 * What an action was done to, as the request named it. What is not known here is shown as it stands; the moment at which the
 * records were counted says nothing that the time of the action does not.
 */
export function targetParts({
  as_of: _counted,
  ...target
}: Readonly<Record<string, unknown>>): readonly TargetPart[] {
  const { stage, code, envelope, ids, number_of_ids, statements, number_of_statements, ...rest } = target;
  const stageName = textOf(stage);
  const codeName = textOf(code);
  const envelopeId = textOf(envelope);
  const parts: TargetPart[] = [];
  if (stageName !== null && codeName !== null) {
    const href = links.errorItems(stageName, codeName, { envelope: envelopeId ?? undefined });
    parts.push({ text: `${nameText(stageName)}, ${codeName}`, href });
  } else if (stageName !== null) {
    parts.push({ text: nameText(stageName), href: links.operations() });
  }
  if (envelopeId !== null) parts.push({ text: `envelope ${envelopeId}`, href: links.envelope(envelopeId) });
  for (const id of idsOf(statements)) parts.push({ text: `statement ${id}`, href: links.statement(id) });
  parts.push(...more(statements, number_of_statements, 'statement'));
  for (const id of idsOf(ids)) parts.push({ text: id, href: links.find(id) });
  parts.push(...more(ids, number_of_ids, 'record'));
  for (const [name, value] of Object.entries(rest)) {
    parts.push({ text: `${nameText(name)}: ${plain(value)}`, href: null });
  }
  return parts;
}

/** How many there were besides those that the log names. */
function more(named: unknown, count: unknown, noun: string): readonly TargetPart[] {
  const left = typeof count === 'number' ? count - idsOf(named).length : 0;
  return left > 0 ? [{ text: `and ${counted(left, noun)} more`, href: null }] : [];
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
