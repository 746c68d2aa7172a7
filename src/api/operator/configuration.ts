import { SETTING_NAMES, SETTINGS } from '../../config/settings.ts';
import { isDefault, maskedConfig } from '../../config.ts';
import { endpoint } from './endpoint.ts';
import { configuration } from './wire/operations.ts';

/** `GET /operator/configuration`: what is in force in the process that answers. */
export const configurationEndpoint = endpoint({
  method: 'GET',
  path: '/operator/configuration',
  summary: 'The settings in force in the process that answers, secrets masked',
  role: 'viewer',
  answer: configuration,
  async handle({ config }) {
    const texts = maskedConfig(config);
    const settings = SETTING_NAMES.map((name) => ({
      name,
      value: texts[name] === '' ? null : texts[name],
      is_default: isDefault(config, name),
      is_secret: SETTINGS[name].isSecret,
    }));
    return { settings };
  },
});
