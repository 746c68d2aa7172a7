import type { Envelopes } from '../../api/operator/wire/envelopes.ts';
import type { Overview, Throughput } from '../../api/operator/wire/overview.ts';

export type StageOverview = Overview['stages'][number];
export type Attention = Overview['attention'][number];
export type Money = Overview['money'][number];
export type StageSeries = Throughput['stages'][number];
export type EnvelopeRow = Envelopes['envelopes'][number];
