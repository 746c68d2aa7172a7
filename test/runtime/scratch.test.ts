import { it } from 'vitest';
import { openShop } from '../support/shop.ts';
import { until } from '../support/wait.ts';
it('latency', async () => {
  for (let i = 0; i < 12; i++) {
  const shop = await openShop();
  const waited: string[] = [];
  const system = await shop.join({ mode: 'tick', observer: { transitions() {}, parked() {}, workStarted: (s, w) => waited.push(s.name + w.waitedMs), workEnded() {}, stale() {}, ticked() {}, recovered() {}, troubled: (w, e) => console.log(w, e) } }); 
  const [id = ''] = await shop.receive(system, 'o' + i, 1); 
  const t = performance.now();
  await system.ticks.tick(system.store.registry.stages[0]!);
  await until('x', async () => (await shop.document(id)).typesetting_status === 'PROCESSED');
  const t2 = performance.now();
  await system.ticks.tick(system.store.registry.stages[1]!);
  await until('x', async () => (await shop.document(id)).printing_status === 'PROCESSED');
  console.log(t2 - t, performance.now() - t2, waited.join(' '));
  await shop.close();
  }
}, 60000);
