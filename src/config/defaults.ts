import { isDeepStrictEqual } from 'node:util';
import { SETTINGS, type SettingName, type Settings } from './settings.ts';

/** Whether a setting has the value that it has when nobody sets it. */
export function isDefault(settings: Settings, name: SettingName): boolean {
  const { type, defaultText } = SETTINGS[name];
  return isDeepStrictEqual(comparable(settings[name]), comparable(type.parse(defaultText)));
}

/** Compiled patterns are the same when their texts are. */
const comparable = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'pattern' in value ? String(value.pattern) : value;
