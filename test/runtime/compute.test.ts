import { describe, expect, it } from 'vitest';
import { emit, fromPromise, log, raise, sendTo, setup, spawnChild } from 'xstate';
import { compute } from '../../src/runtime/compute.ts';

/** A lamp whose switch may ask for all sorts of things. */
const lamp = setup({
  types: {} as { context: { switched: number }; events: { type: string; at?: number } },
  actions: {
    tell: (_, _params: { readonly to: string }) => {
      throw new Error('Actions come back as data; nobody runs them.');
    },
  },
  guards: {
    broken: () => {
      throw new Error('The guard is asleep.');
    },
  },
});
const machine = lamp.createMachine({
  id: 'lamp',
  type: 'parallel',
  context: { switched: 0 },
  states: {
    light: {
      initial: 'OFF',
      states: {
        OFF: {
          on: {
            press: {
              target: 'ON',
              actions: [
                lamp.assign({ switched: ({ context }) => context.switched + 1 }),
                { type: 'tell', params: ({ context }) => ({ to: `neighbour ${context.switched}` }) },
                raise({ type: 'warm' }),
              ],
            },
            log: { actions: log('pressed') },
            later: { actions: raise({ type: 'press' }, { delay: 5 }) },
            emit: { actions: emit({ type: 'flash' }) },
            send: { actions: sendTo('somebody', { type: 'hello' }) },
            spawn: { actions: spawnChild(fromPromise(async () => 1)) },
            guarded: { guard: 'broken', target: 'ON' },
          },
        },
        ON: { entry: { type: 'tell', params: { to: 'the cat' } }, on: { press: 'OFF' } },
      },
    },
    heat: { initial: 'COLD', states: { COLD: { on: { warm: 'WARM' } }, WARM: {} } },
  },
});
const off = machine.resolveState({ value: { light: 'OFF', heat: 'COLD' }, context: { switched: 0 } });

describe('an event, computed', () => {
  it('gives the next snapshot, every step on the way, and the actions as data', () => {
    const { snapshot, accepted, steps, effects } = compute(machine, off, { type: 'press' });
    expect(accepted).toBe(true);
    expect(snapshot.value).toEqual({ light: 'ON', heat: 'WARM' });
    expect(steps.map(({ event, before, after }) => [event.type, before.value, after.value])).toEqual([
      ['press', { light: 'OFF', heat: 'COLD' }, { light: 'ON', heat: 'COLD' }],
      ['warm', { light: 'ON', heat: 'COLD' }, { light: 'ON', heat: 'WARM' }],
    ]);
    expect(effects).toEqual([
      { type: 'tell', params: { to: 'neighbour 1' } },
      { type: 'tell', params: { to: 'the cat' } },
    ]);
  });

  it('leaves the snapshot it began with as it was', () => {
    compute(machine, off, { type: 'press' });
    expect(off.value).toEqual({ light: 'OFF', heat: 'COLD' });
    expect(off.context).toEqual({ switched: 0 });
  });

  it('that nothing reacts to changes nothing', () => {
    const { snapshot, accepted, steps, effects } = compute(machine, off, { type: 'sing' });
    expect({ accepted, steps, effects }).toEqual({ accepted: false, steps: [], effects: [] });
    expect(snapshot).toBe(off);
  });

  it.each(['later', 'emit', 'send', 'spawn'])('that needs an actor in memory (%s) is refused', (type) => {
    expect(() => compute(machine, off, { type })).toThrow();
    // The next computation is not disturbed by what that one left.
    expect(compute(machine, off, { type: 'log' })).toMatchObject({ accepted: true, effects: [] });
  });

  it('whose guard throws is refused, and does not disturb the next one', () => {
    expect(() => compute(machine, off, { type: 'guarded' })).toThrow('The guard is asleep.');
    expect(compute(machine, off, { type: 'press' }).effects).toHaveLength(2);
  });
});
