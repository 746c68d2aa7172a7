import type { Database, Sql } from '../../db/connection.ts';
import { lockNames } from '../exclusively.ts';
import { appendJournal } from '../journal.ts';
import {
  actorsWithMail,
  addressToChildren,
  insertMessages,
  machinesWithMail,
  nextDelivery,
  takeMessages,
} from '../messages.ts';
import {
  announcePause,
  deletePause,
  heldPauses,
  lockPause,
  pausedAmong,
  readPauses,
  storePause,
} from '../pause-rows.ts';
import { lockRows, updateRows } from '../rows.ts';
import { inTransaction, openSession } from '../session.ts';
import type { Storage } from '../storage.ts';
import { claim, claimsOf, endClaims, takeClaims, unclaim } from './claims.ts';
import { deadProcesses, register, removeProcesses, renumberProcess, report } from './processes.ts';
import { keepTick, now, park, search, takeParked } from './search.ts';

/**
 * The actor system's storage in PostgreSQL. Every statement of the runtime is in one of the files imported here.
 *
 * @param admit throws when nothing may be done on a connection
 */
export const postgresStorage = (
  database: Database,
  admit: (sql: Sql) => Promise<void> = async () => {},
): Storage => ({
  async openSession(applicationName, onLost) {
    const session = await openSession(database, applicationName, onLost);
    try {
      await admit(session.sql);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  },
  inTransaction,
  listen: (channel, heard, listening) => database.sql.listen(channel, heard, listening),
  now,
  lockRows,
  updateRows,
  search,
  park,
  takeParked,
  appendJournal,
  lockNames,
  keepTick,
  insertMessages,
  machinesWithMail,
  nextDelivery,
  addressToChildren,
  actorsWithMail,
  takeMessages,
  readPauses,
  pausedAmong,
  heldPauses,
  lockPause,
  storePause,
  deletePause,
  announcePause,
  register,
  deadProcesses,
  removeProcesses,
  renumberProcess,
  report,
  claim,
  claimsOf,
  unclaim,
  endClaims,
  takeClaims,
});
