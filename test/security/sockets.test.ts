import { afterAll, beforeAll, expect, it } from 'vitest';
import { openAccess } from '../../src/api/operator/access/open.ts';
import { createToken, revokeToken } from '../../src/api/operator/access/tokens.ts';
import { loadConfig } from '../../src/config.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openOperatorApi, openSocket, serveOperators, type TestOperatorApi } from '../support/operators.ts';

let api: TestOperatorApi;
beforeAll(async () => {
  api = await openOperatorApi({ feedTimes: { lookMs: 50 } });
});
afterAll(() => api.close());

const root = () => api.url.replace('http', 'ws');

it.each(['/feed', '/inspector/ws'])(
  'a WebSocket at %s ends soon after its token is revoked, and no other does',
  async (path) => {
    const { sql } = api.database;
    const token = await createToken(sql, { name: 'leaving', role: 'viewer' }, new Date());
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${api.url}/operator/tickets`, { method: 'POST', headers });
    const { ticket } = (await answer.json()) as { ticket: string };
    const [leaving, byHeader, staying] = await Promise.all([
      openSocket(`${root()}${path}?ticket=${ticket}`),
      openSocket(root() + path, headers),
      api.as('viewer').ws(path),
    ]);
    await revokeToken(sql, 'leaving', new Date());
    expect(await leaving.closed).toEqual({ code: 4401, reason: 'Sign in again.' });
    expect(await byHeader.closed).toMatchObject({ code: 4401 });
    expect(staying.socket.readyState).toBe(WebSocket.OPEN);
    staying.close();
  },
);

it('a WebSocket ends after its time where nobody can be asked about its operator', async () => {
  const surface = await serveOperators(api, {
    feedTimes: { lookMs: 50 },
    access: (database) => {
      const { stillMay: _, ...access } = openAccess(loadConfig({}), {
        database,
        clock: systemClock,
        onProblem: () => {},
      });
      return { ...access, socketLivesMs: 200 };
    },
  });
  const opened = performance.now();
  const { closed } = await surface.as('viewer').ws('/feed');
  expect(await closed).toMatchObject({ code: 4401 });
  expect(performance.now() - opened).toBeGreaterThan(190);
  await surface.close();
});
