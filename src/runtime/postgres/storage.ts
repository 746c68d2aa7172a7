import type { Database } from '../../db/connection.ts';
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

/** The actor system's storage in PostgreSQL. Every statement of the runtime is in one of the files imported here. */
export const postgresStorage = (database: Database): Storage => ({
  openSession: (applicationName, onLost) => openSession(database, applicationName, onLost),
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
