import type { FastifyInstance } from 'fastify';
import { readChildren } from './actor-children.ts';
import { readActor } from './actor-detail.ts';
import { readTransitions } from './actor-transitions.ts';
import { auditEndpoint } from './audit.ts';
import { configurationEndpoint } from './configuration.ts';
import type { OperatorContext } from './context.ts';
import { readDiscrepancies } from './discrepancies.ts';
import { addEndpoint, type Endpoint } from './endpoint.ts';
import { cancelEnvelope } from './envelope-actions.ts';
import { envelopeBatchesEndpoint } from './envelope-batches.ts';
import { envelopeEndpoint } from './envelope-detail.ts';
import { envelopesEndpoint } from './envelopes.ts';
import { readErrorItems, readErrors } from './errors.ts';
import { find } from './find.ts';
import { inspectorSettingsView } from './inspector-settings.ts';
import { readJob } from './jobs.ts';
import { readMachines } from './machines.ts';
import { operationsEndpoint } from './operations.ts';
import { overviewEndpoint, throughputEndpoint } from './overview.ts';
import { answerProblem, ProblemError } from './problem.ts';
import { createTicket, readAccess, readSession } from './sign-in.ts';
import { pauseStage, resumeStage, tickStage } from './stage-actions.ts';
import { operatorUpload } from './statement-upload.ts';
import { readStatement, readStatements } from './statements.ts';
import { dispatchWork, previewWork, releaseWork, retryWork } from './work-actions.ts';

/** Everything that operators may ask; each group is in a file of its own. */
export const OPERATOR_ENDPOINTS: readonly Endpoint[] = [
  readAccess,
  readSession,
  createTicket,
  inspectorSettingsView,
  auditEndpoint,
  cancelEnvelope,
  dispatchWork,
  pauseStage,
  previewWork,
  releaseWork,
  resumeStage,
  retryWork,
  tickStage,
  overviewEndpoint,
  throughputEndpoint,
  operationsEndpoint,
  configurationEndpoint,
  envelopesEndpoint,
  envelopeEndpoint,
  envelopeBatchesEndpoint,
  readMachines,
  readActor,
  readTransitions,
  readChildren,
  readJob,
  find,
  readErrors,
  readErrorItems,
  readStatements,
  readStatement,
  readDiscrepancies,
];

/** The operators' REST API. */
export async function operatorApi(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  app.decorateRequest('operator', null);
  app.setErrorHandler(answerProblem);
  app.addHook('onRequest', async ({ ws }) => {
    if (ws) throw new ProblemError(400, 'NO_WEBSOCKET', 'The path is no WebSocket.');
  });
  for (const one of OPERATOR_ENDPOINTS) addEndpoint(app, context, one);
  await app.register(operatorUpload, { context });
}
