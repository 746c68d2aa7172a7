import { z } from 'zod';
import { moment, operator } from './common.ts';

/** `GET /operator/access`, for everybody: how to sign in. */
export const access = z.object({
  /** `loopback`: nobody signs in, and only this machine is served. */
  kind: z.enum(['oidc', 'token', 'loopback']),
  /** For the authorization code flow with PKCE; null unless `kind` is `oidc`. */
  oidc: z.object({ issuer: z.string(), client_id: z.string(), scope: z.string() }).nullable(),
  version: z.string(),
});
export type AccessOnWire = z.infer<typeof access>;

/** `GET /operator/session`: who asks. */
export const session = z.object({ operator });
export type Session = z.infer<typeof session>;

/** `POST /operator/tickets`: opens one WebSocket (`?ticket=`), within half a minute. */
export const ticket = z.object({ ticket: z.string(), expires_at: moment });
export type Ticket = z.infer<typeof ticket>;
