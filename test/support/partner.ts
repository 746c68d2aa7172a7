import { buildApi } from '../../src/api/server.ts';
import { messageFixture } from './payloads.ts';
import type { Pipeline } from './pipeline.ts';

/** A partner of a pipeline under test. */
export interface Partner {
  /** Asks the partner API. @returns the answer's code, null for SUCCESS, and its payload */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads into the payload and fails where it is not what it should be
  ask(path: string, payload: unknown): Promise<{ readonly code: string | null; readonly payload: any }>;
  close(): Promise<void>;
}

/** Opens the partner API of a process of the pipeline, without a port. */
export function partnerOf(pipeline: Pipeline): Partner {
  const app = buildApi({ system: pipeline.system, database: pipeline.database, role: 'all' });
  return {
    async ask(path, payload) {
      const answer = await app.inject({ method: 'POST', url: path, payload: messageFixture(payload) });
      const { response_header: header, response_body: body } = answer.json();
      return { code: header.response_error_code, payload: body.response_payload };
    },
    close: () => app.close(),
  };
}
