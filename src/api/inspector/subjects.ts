import { quoted } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import type { Actor } from '../../runtime/actor.ts';
import type { Registry } from '../../runtime/registry.ts';
import { parentMachineOf } from '../operator/family.ts';

/** Reads from the database, for no longer than it takes. */
export type Reading = <T>(read: (sql: Queryable) => Promise<T>) => Promise<T>;

/** Actors that one connection is shown at most; what others do is left out. */
export const SUBJECTS_MAX = 1_000;

/** An actor as the inspector knows it: shaped like a reference of XState, so that it finds the parent. */
export interface Subject {
  readonly sessionId: string;
  readonly name: string;
  readonly actor: Actor;
  readonly _parent?: Subject;
  /** The states that the journal has led to so far. */
  readonly value: Record<string, string>;
  /** What the journal has said of each region's work so far. */
  readonly stages: Record<string, Readonly<Record<string, unknown>>>;
}

export interface Named {
  readonly machine: string;
  readonly id: string;
}

export const sessionOf = ({ machine, id }: Named): string => `${machine}/${id}`;

/** The actors that a connection has been shown, each with its parent. */
export class Subjects {
  readonly #registry: Registry;
  readonly #known = new Map<string, Subject>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  get(one: Named): Subject | undefined {
    return this.#known.get(sessionOf(one));
  }

  /**
   * Gets to know actors and those they are children of.
   *
   * @returns the new ones, parents first; as many as there is room for
   */
  async meet(reading: Reading, actors: readonly Named[]): Promise<readonly Subject[]> {
    const fresh: Subject[] = [];
    const byMachine = Map.groupBy(
      actors.filter((one) => !this.get(one)),
      ({ machine }) => machine,
    );
    for (const [machine, some] of byMachine) {
      const ids = [...new Set(some.map(({ id }) => id))].slice(0, SUBJECTS_MAX - this.#known.size);
      if (ids.length === 0) continue;
      const parents = await reading((sql) => this.#parentsOf(sql, machine, ids));
      fresh.push(
        ...(await this.meet(reading, [
          ...new Map([...parents.values()].map((one) => [sessionOf(one), one])).values(),
        ])),
      );
      for (const id of ids) {
        const subject = this.#introduce({ machine, id }, parents.get(id));
        if (subject) fresh.push(subject);
      }
    }
    return fresh;
  }

  #introduce(one: Named, parent: Named | undefined): Subject | null {
    if (this.#known.size >= SUBJECTS_MAX || this.get(one)) return null;
    const actor = this.#registry.actor(one.machine);
    const above = parent && this.get(parent);
    const subject: Subject = {
      sessionId: sessionOf(one),
      name: `${one.machine} ${one.id}`,
      actor,
      ...(above && { _parent: above }),
      value: initialValue(actor),
      stages: {},
    };
    this.#known.set(subject.sessionId, subject);
    return subject;
  }

  async #parentsOf(sql: Queryable, machine: string, ids: readonly string[]): Promise<Map<string, Named>> {
    const above = parentMachineOf(machine);
    if (above === null) return new Map();
    const actor = this.#registry.actor(machine);
    const [{ name, id }] = actor.tables;
    const rows = await sql.unsafe<{ id: string; parent: string }[]>(
      `select ${quoted(id)} as id, ${quoted(actor.parent)} as parent from ${quoted(name)} where ${quoted(id)} = any($1)`,
      [ids as string[]],
    );
    return new Map(rows.map((row) => [row.id, { machine: above, id: row.parent }]));
  }
}

const initialValue = (actor: Actor): Record<string, string> =>
  Object.fromEntries(
    Object.entries(actor.machine.states).map(([region, node]) => [region, String(node.config.initial ?? '')]),
  );
