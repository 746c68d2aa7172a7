import type { ActorDetail } from '../../api/operator/wire/actors.ts';
import type { TransitionOnWire } from '../../api/operator/wire/common.ts';

/**
 * What is known of an actor after one more transition of its own: so much as the transition tells. What it does not tell
 * (its row, what can be done now) stays until it is asked for.
 *
 * @returns the same object for a transition that it holds already, or of another actor
 */
export function advance(actor: ActorDetail, transition: TransitionOnWire): ActorDetail {
  const { seq, machine, id, region } = transition;
  if (seq <= actor.seq || machine !== actor.machine || id !== actor.id) return actor;
  const hasMoved = transition.from !== transition.to;
  return {
    ...actor,
    seq,
    regions: actor.regions.map((one) =>
      one.region === region
        ? {
            ...one,
            state: transition.to,
            attempts: transition.attempt,
            since: transition.at,
            error: transition.error ?? (hasMoved ? null : one.error),
            // What could be done from the state it has left cannot be done any more.
            actions: hasMoved ? [] : one.actions,
          }
        : one,
    ),
    taken: taken(actor.taken, transition),
  };
}

function taken(before: ActorDetail['taken'], { region, event, from, to, at }: TransitionOnWire) {
  const isSame = (one: ActorDetail['taken'][number]): boolean =>
    one.region === region && one.event === event && one.from === from && one.to === to;
  return before.some(isSame)
    ? before.map((one) => (isSame(one) ? { ...one, count: one.count + 1, last_at: at } : one))
    : [...before, { region, event, from, to, count: 1, last_at: at }];
}
