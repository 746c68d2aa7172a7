import type { FastifyInstance } from 'fastify';
import type { PartnerContext } from '../options.ts';
import { batchControl } from './batch-control.ts';
import { disbursementStatus } from './disbursement-status.ts';
import { createDisbursements } from './disbursements.ts';
import { envelopeStatus } from './envelope-status.ts';
import { createDisbursementEnvelopes } from './envelopes.ts';
import { addOperation } from './operation.ts';
import { statementUpload } from './statements.ts';

/** The partner API; each operation is in the file of its subject. */
export async function partnerApi(
  app: FastifyInstance,
  options: { readonly context: PartnerContext },
): Promise<void> {
  const { context } = options;
  app.get('/ping', async () => 'pong');
  addOperation(app, context, createDisbursementEnvelopes);
  addOperation(app, context, createDisbursements);
  addOperation(app, context, disbursementStatus);
  addOperation(app, context, envelopeStatus);
  addOperation(app, context, batchControl);
  app.register(statementUpload, { context });
}
