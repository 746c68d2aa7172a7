import type { WebSocket } from '@fastify/websocket';
import type { Access } from '../access.ts';
import type { Operator } from '../wire/common.ts';

/** Code that a WebSocket is closed with whose operator has to sign in again. */
export const SIGN_IN_AGAIN = 4401;

/** Often enough that what is revoked does not look on for long, and no burden. */
const LOOK_MS = 30_000;

/**
 * Ends a WebSocket once its operator may no longer look: looks again and again, since it would otherwise outlive the token
 * that opened it. While nobody can say, it stays open.
 *
 * @param lookMs between two looks
 */
export function endWithAccess(socket: WebSocket, access: Access, operator: Operator, lookMs = LOOK_MS): void {
  const openedMs = performance.now();
  let looking = false;
  const end = () => socket.close(SIGN_IN_AGAIN, 'Sign in again.');
  const look = async () => {
    if (access.socketLivesMs !== undefined && performance.now() - openedMs >= access.socketLivesMs)
      return end();
    if (looking || !access.stillMay) return;
    looking = true;
    try {
      if (!(await access.stillMay(operator))) end();
    } catch {
      // The database is away: the next look asks again.
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), lookMs);
  socket.on('close', () => clearInterval(timer));
}
