import { endpoint } from './endpoint.ts';
import { inspectorSettings } from './wire/operations.ts';

/** `GET /operator/inspector` */
export const inspectorSettingsView = endpoint({
  method: 'GET',
  path: '/operator/inspector',
  summary: 'Where the XState inspector is that transitions are shown in',
  role: 'viewer',
  answer: inspectorSettings,
  handle: async ({ config }) => ({ url: config.inspector_url }),
});
