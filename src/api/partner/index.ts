import type { FastifyInstance } from 'fastify';
import type { PartnerContext } from '../options.ts';
import { requestLimits } from '../request-limits.ts';
import { beforeBody, requireBearer } from './admission.ts';
import { amendDisbursementEnvelope } from './amend-envelope.ts';
import { batchControl } from './batch-control.ts';
import { cancelDisbursements } from './cancel-disbursements.ts';
import { cancelDisbursementEnvelope } from './cancel-envelope.ts';
import { disbursementStatus } from './disbursement-status.ts';
import { createDisbursements } from './disbursements.ts';
import { envelopeStatus } from './envelope-status.ts';
import { createDisbursementEnvelopes } from './envelopes.ts';
import type { Message } from './message.ts';
import { addOperation, type Operation } from './operation.ts';
import type { StatementUploads } from './statement-upload.ts';
import { statementUpload } from './statements.ts';

/** What partners can ask for, besides the upload of statements. */
export const PARTNER_OPERATIONS: readonly Operation<Message>[] = [
  createDisbursementEnvelopes,
  amendDisbursementEnvelope,
  cancelDisbursementEnvelope,
  createDisbursements,
  cancelDisbursements,
  disbursementStatus,
  envelopeStatus,
  batchControl,
];

/** The partner API; each operation is in the file of its subject. */
export async function partnerApi(
  app: FastifyInstance,
  options: {
    readonly context: Omit<PartnerContext, 'limits'>;
    /** 0 takes all. */
    readonly requestsPerMinute: number;
    /** Empty takes uploads without. */
    readonly uploadToken: string;
    readonly uploads: StatementUploads;
  },
): Promise<void> {
  const limits = await requestLimits(app, options.requestsPerMinute);
  const context = { ...options.context, limits };
  app.get('/ping', async (_request, reply) => reply.type('application/json').send('"pong"'));
  for (const operation of PARTNER_OPERATIONS) addOperation(app, context, operation);
  app.register(async (uploads) => {
    // Statements are not signed: a client address has a share of them, whoever sends them.
    uploads.addHook('onRequest', beforeBody({ signatures: null, limits }));
    uploads.addHook('onRequest', requireBearer(options.uploadToken));
    await uploads.register(statementUpload, { context, uploads: options.uploads });
  });
}
