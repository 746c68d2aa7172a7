import { goesThroughZones, isCash } from '../../machines/benefit-type.ts';
import { formatTable, groupDigits, type Paint } from '../ui.ts';
import type { EnvelopeProgress, Progress } from './progress.ts';
import type { StageProgress } from './stages.ts';

/** One line that says how far a run has come: each envelope by what it still lacks. */
export function progressLine({ envelopes, stages }: Progress): string {
  const errors = stages.reduce((sum, stage) => sum + stage.errors, 0);
  const [only, ...others] = envelopes;
  if (!only) return '';
  const each = others.length > 0 ? ' each' : '';
  const counts =
    others.length === 0
      ? countsOf(only)
          .map(([label, count]) => `${label} ${groupDigits(count)}`)
          .join(', ')
      : envelopes.map(envelopePart).join(' | ');
  return `${counts} of ${groupDigits(declaredOf(envelopes))}${each}${errors > 0 ? `, ${errors} in ERROR` : ''}`;
}

/** The lines shown while a run goes on. */
export function progressLines({ envelopes, stages }: Progress, elapsedMs: number, paint: Paint): string[] {
  return [
    `${(elapsedMs / 1000).toFixed(1)} s, ${groupDigits(declaredOf(envelopes))} in each envelope`,
    ...formatTable(
      envelopes.map((envelope) => envelopeRow(envelope, paint)),
      [
        { title: 'envelope' },
        { title: 'received', align: 'right' },
        { title: 'in a zone', align: 'right' },
        { title: 'notified', align: 'right' },
        { title: 'paid', align: 'right' },
        { title: 'reconciled', align: 'right' },
      ],
    ),
    '',
    ...formatTable(
      stages.map((stage) => stageRow(stage, paint)),
      [
        { title: 'stage' },
        { title: 'records', align: 'right' },
        { title: 'pending', align: 'right' },
        { title: 'processing', align: 'right' },
        { title: 'processed', align: 'right' },
        { title: 'errors', align: 'right' },
      ],
    ),
  ];
}

/** All envelopes have as many; one that has not been announced yet has none. */
const declaredOf = (envelopes: readonly EnvelopeProgress[]): number =>
  Math.max(0, ...envelopes.map(({ declared }) => declared));

/** What is counted of an envelope on the way to its end, in order. */
function countsOf(envelope: EnvelopeProgress): [label: string, count: number][] {
  const { benefitType, received, beneficiariesNotified, shipped, reconciled } = envelope;
  return [
    ['received', received],
    ...(goesThroughZones(benefitType) ? ([['notified', beneficiariesNotified]] as [string, number][]) : []),
    ...(isCash(benefitType)
      ? ([
          ['paid', shipped],
          ['reconciled', reconciled],
        ] as [string, number][])
      : []),
  ];
}

/** What an envelope has not enough of yet, as far as it has any; what comes last once it has everything. */
function envelopePart(envelope: EnvelopeProgress): string {
  const counts = countsOf(envelope);
  const lacking = counts.filter(([, count]) => count < envelope.declared);
  const begun = lacking.filter(([, count]) => count > 0);
  const shown = begun.length > 0 ? begun : lacking.length > 0 ? lacking.slice(0, 1) : counts.slice(-1);
  const text = shown.map(([label, count]) => `${label} ${groupDigits(count)}`).join(', ');
  return `${envelope.benefitType} ${text}`;
}

function envelopeRow(envelope: EnvelopeProgress, paint: Paint): string[] {
  const { benefitType, declared, received, shipped, reconciled } = envelope;
  const cell = (applies: boolean, count: number) => {
    if (!applies) return '–';
    const text = groupDigits(count);
    return count >= declared && declared > 0 ? paint.green(text) : text;
  };
  const zonal = goesThroughZones(benefitType);
  const cash = isCash(benefitType);
  return [
    benefitType,
    cell(true, received),
    cell(zonal, envelope.located),
    cell(zonal, envelope.beneficiariesNotified),
    cell(cash, shipped),
    cell(cash, reconciled),
  ];
}

function stageRow(
  { stage, total, pending, processing, processed, errors }: StageProgress,
  paint: Paint,
): string[] {
  const red = (text: string) => (errors > 0 ? paint.red(text) : text);
  return [stage, ...[total, pending, processing, processed].map(groupDigits), red(String(errors))];
}
