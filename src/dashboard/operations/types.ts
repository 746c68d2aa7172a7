import type { Configuration, Operations } from '../../api/operator/wire/operations.ts';

export type StageRow = Operations['stages'][number];
export type ProcessRow = Operations['processes'][number];
export type ParkedRow = Operations['parked'][number];
export type SettingRow = Configuration['settings'][number];
