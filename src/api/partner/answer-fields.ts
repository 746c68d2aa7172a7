import { z } from 'zod';
import { PROCESS_STATUSES } from '../../db/schema/stage-columns.ts';
import { type JsonNumber, sourceOf } from '../json.ts';

/** What answers are made of. Unlike the fields of requests these are ours: they promise no limits. */

/** A text, or null where there is nothing to say. */
export const textOrNull = z.string().nullable();

/** An exact quantity or amount, a JSON number on the wire. */
export const amount = z
  .custom<JsonNumber>((value) => typeof value === 'number' || sourceOf(value) !== null)
  .register(z.globalRegistry, {
    type: 'number',
    description:
      'An exact decimal with all its digits. Where they are more than 15, read the text of the number rather than a double.',
  });

/** A moment (UTC), ISO 8601 on the wire. */
export const instant = z
  .custom<Date | string>((value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(value))
  .register(z.globalRegistry, { type: 'string', format: 'date-time' });

/** A count of records or attempts. */
export const tally = z.int().min(0);

/** A number that identifies something in another system. */
export const foreignId = z.int();

/** Where a stage of the pipeline stands. */
export const processStatus = z.enum(PROCESS_STATUSES);

/** The codes of the rules that an item of a refused list breaks; empty where nothing is wrong with it. */
export const errorCodes = z.array(z.string());
