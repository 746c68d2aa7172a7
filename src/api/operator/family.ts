import { quoted } from '../../db/bulk.ts';
import type { Actor } from '../../runtime/actor.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { ProblemError } from './problem.ts';

/** Which machines' actors belong to which. */
const PARENTS: Readonly<Record<string, string>> = {
  batch: 'envelope',
  geo: 'batch',
  beneficiary: 'geo',
};

/** The machine of a machine's parents; null when its actors stand alone. */
export const parentMachineOf = (machine: string): string | null => PARENTS[machine] ?? null;

/** The actors whose parents an actor's own kind can be. */
export const childrenActorsOf = (system: ActorSystem, machine: string): readonly Actor[] =>
  system.store.registry.actors.filter(({ name }) => parentMachineOf(name) === machine);

/**
 * An actor's kind by the name of its machine.
 *
 * @throws ProblemError MACHINE_UNKNOWN
 */
export function actorNamed(system: ActorSystem, machine: string): Actor {
  const found = system.store.registry.actors.find(({ name }) => name === machine);
  if (found) return found;
  throw new ProblemError(404, 'MACHINE_UNKNOWN', `There is no machine ${machine}.`);
}

export const actorUnknown = (machine: string, id: string): ProblemError =>
  new ProblemError(404, 'ACTOR_UNKNOWN', `There is no ${machine} ${id}.`);

/** The tables of an actor's row, joined as t0, t1 and so on, as SQL; what is missing of a row is null. */
export function joinedTables({ tables: [main, ...others] }: Actor): string {
  const joins = others.map(
    ({ name, id }, n) =>
      ` left join ${quoted(name)} t${n + 1} on t${n + 1}.${quoted(id)} = t0.${quoted(main.id)}`,
  );
  return `${quoted(main.name)} t0${joins.join('')}`;
}

/** The envelope that an actor belongs to, by its row; null for what belongs to none. */
export const envelopeOf = (
  { name, correlation }: Actor,
  row: Readonly<Record<string, unknown>>,
): string | null => (name === 'statement' ? null : String(row[correlation]));
