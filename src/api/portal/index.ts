import type { FastifyInstance } from 'fastify';
import type { Database } from '../../db/connection.ts';
import type { Clock } from '../../runtime/clock.ts';
import { requestLimits } from '../request-limits.ts';
import { allDisbursements } from './all-disbursements.ts';
import { addPortalOperation } from './operation.ts';
import type { PortalSettings } from './settings.ts';
import { summaryTillDate } from './summary-till-date.ts';
import { authentication } from './token.ts';

/** Everything that a beneficiary may ask; each operation is in the file of its subject. */
export const PORTAL_OPERATIONS = [allDisbursements, summaryTillDate] as const;

/** The beneficiary portal API: people see their own disbursements, known by a token of the identity provider. */
export async function portalApi(
  app: FastifyInstance,
  options: {
    readonly settings: PortalSettings;
    readonly database: Database;
    readonly clock: Clock;
    /** Of one client address; 0 takes all. */
    readonly requestsPerMinute: number;
  },
): Promise<void> {
  const { settings, database, clock } = options;
  const limits = await requestLimits(app, options.requestsPerMinute);
  app.addHook('onRequest', async (request, reply) => limits?.countAddress(request, reply));
  const onProblem = (problem: string) =>
    app.log.warn({ issuer: settings.issuer, problem }, "The identity provider's keys could not be fetched");
  const context = { database, clock, authentication: authentication(settings, clock, onProblem) };
  for (const operation of PORTAL_OPERATIONS) addPortalOperation(app, context, operation);
}
