import { useEffect, useState } from 'react';
import { type Arrangement, arrange, fits, type Laid } from './arrange.ts';
import type { RegionDrawing } from './drawing.ts';
import { type LayoutRequest, layOut } from './layout.ts';

interface State {
  readonly arrangement: Arrangement | null;
  readonly failed: boolean;
}

/**
 * Where everything goes. The arrangement before stays until the next has been computed.
 *
 * @param room the width there is, px; 0: not yet known
 * @param shownEdges ids of the edges to draw
 */
export function useArrangement(
  drawings: readonly RegionDrawing[],
  shownEdges: ReadonlySet<string>,
  room: number,
): State {
  const [state, setState] = useState<State>({ arrangement: null, failed: false });
  useEffect(() => {
    if (room === 0) return;
    let wanted = true;
    Promise.all(drawings.map((region) => inRoom({ region, edges: shownEdges }, room))).then(
      (laid) => wanted && setState({ arrangement: arrange(laid, room), failed: false }),
      () => wanted && setState(({ arrangement }) => ({ arrangement, failed: true })),
    );
    return () => {
      wanted = false;
    };
  }, [drawings, shownEdges, room]);
  return state;
}

/** Narrower than this nothing of use fits from left to right, px. */
const ACROSS_MIN = 560;

/** A region runs from left to right where that fits, and downwards where it does not. */
async function inRoom(request: Omit<LayoutRequest, 'direction'>, room: number): Promise<Laid> {
  const { region } = request.region;
  if (room >= ACROSS_MIN) {
    const layout = await layOut({ ...request, direction: 'RIGHT' });
    if (fits(layout, room)) return { region, direction: 'RIGHT', layout };
  }
  return { region, direction: 'DOWN', layout: await layOut({ ...request, direction: 'DOWN' }) };
}
