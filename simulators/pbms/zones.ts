import { type Random, seededRandom } from '../shared/random.ts';
import { mnemonicOf, namesOfPlaces, namesOfRegions } from './names.ts';

export interface Zone {
  id: string;
  name: string;
  mnemonic: string;
}

/** A zone that lies in a large one. */
export interface SmallZone extends Zone {
  largeZone: Zone;
  /** How many farmers live there, against the other zones. */
  weight: number;
}

export interface ZoneTree {
  largeZones: Zone[];
  /** Zones of the same large zone stand beside each other. */
  smallZones: SmallZone[];
}

/** Large zones are numbered from 1 and small ones from here, so that taking one for the other finds nothing. */
const smallZoneIdFirst = 1_001;
const populousShare = 1 / 8;
const populousFactor = 6;

/**
 * The areas of the country: large zones of uneven sizes, none empty, made of small ones, of which one in eight
 * has several times the people of the others.
 *
 * @param smallZones at least as many as `largeZones`
 */
export function zoneTree(options: { largeZones: number; smallZones: number; seed: number }): ZoneTree {
  const random = seededRandom(options.seed);
  const largeZones = namesOfRegions(options.largeZones).map((name, index) => zone(index + 1, name));
  const owners = owningZones(largeZones, options.smallZones, random);
  const smallZones = namesOfPlaces(options.smallZones, random).flatMap((name, index): SmallZone[] => {
    const largeZone = owners[index];
    if (largeZone === undefined) return [];
    return [{ ...zone(smallZoneIdFirst + index, name), largeZone, weight: weight(random) }];
  });
  return { largeZones, smallZones };
}

/**
 * Draws zones, in proportion to their weights; the first draws take every zone once, so that none stays empty
 * when there are enough. How often it will be called makes no difference to what it draws.
 *
 * @throws RangeError when there are no zones
 */
export function zoneDraw(zones: readonly SmallZone[], random: Random): () => SmallZone {
  const ends: number[] = [];
  let total = 0;
  for (const { weight } of zones) {
    total += weight;
    ends.push(total);
  }
  const untouched = [...zones];
  return () => {
    const once = takeAny(untouched, random) ?? zones[firstAbove(ends, random() * total)];
    if (once === undefined) throw new RangeError('There are no zones to draw from.');
    return once;
  };
}

function zone(id: number, name: string): Zone {
  return { id: String(id), name, mnemonic: mnemonicOf(name) };
}

function weight(random: Random): number {
  return (0.6 + 0.8 * random()) * (random() < populousShare ? populousFactor : 1);
}

/** The large zone of every small one, in order: each large zone owns one, and chance decides on the others. */
function owningZones(largeZones: readonly Zone[], smallZones: number, random: Random): Zone[] {
  const shares = largeZones.map(() => 0.5 + random());
  const total = shares.reduce((sum, share) => sum + share, 0);
  const free = smallZones - largeZones.length;
  let sum = 0;
  return largeZones.flatMap((largeZone, index) => {
    const before = Math.round((free * sum) / total);
    sum += shares[index] ?? 0;
    const owned = 1 + Math.round((free * sum) / total) - before;
    return Array.from({ length: owned }, () => largeZone);
  });
}

/** Removes one item, whichever; cheap on a long list, since the last item takes its place. */
function takeAny<T>(items: T[], random: Random): T | undefined {
  const index = Math.floor(random() * items.length);
  const last = items.pop();
  const taken = items[index];
  if (taken === undefined || last === undefined) return last;
  items[index] = last;
  return taken;
}

/** The index of the first end above `value`. */
function firstAbove(ends: readonly number[], value: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
