import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

const HALF_A_YEAR_SECONDS = 180 * 86_400;

/**
 * Headers by which browsers treat all answers with care: no foreign scripts, no frames, no guessed content types, no
 * referrer. A page of ours that needs more says so on its route (`config.helmet`) or sets the header itself.
 */
export function securityHeaders(app: FastifyInstance): void {
  app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: true,
      directives: {
        'frame-ancestors': ["'none'"],
        // TLS is the proxy's: behind it, or without one, there may be nothing to upgrade to.
        'upgrade-insecure-requests': null,
      },
    },
    // Browsers heed it only where a proxy has TLS; what else has this domain is not ours to decide.
    strictTransportSecurity: { maxAge: HALF_A_YEAR_SECONDS, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
}
