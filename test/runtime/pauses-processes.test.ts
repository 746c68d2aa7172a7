import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Submission, Work } from '../../src/runtime/stage.ts';
import { type Child, startToyProcess } from '../support/child.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

const WHO = { by: 'Amina', reason: 'The bank asked us to stop.' };
const WITHIN_MS = 1_000;

let shop: Shop;
let children: Child[];
beforeEach(async () => {
  shop = await openShop();
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
  await shop.close();
});

async function start(behaviour: string): Promise<Child> {
  const child = startToyProcess(shop.url, behaviour);
  children.push(child);
  await child.said('ready');
  return child;
}
const jobs = (state: string) =>
  shop.count('pgboss.job', `name = 'toy_printing_worker' and state = '${state}'`);
const printed = () => shop.count('toy_documents', "printing_status = 'PROCESSED'");

/** A process that prints, and what it was told when it submitted. */
async function joinPrinter(seen: Submission[]) {
  const printing = async (work: Work) => {
    seen.push(await work.submitting());
    return { kind: 'succeeded' } as const;
  };
  return shop.join({}, { printing });
}

/** Two processes, each with two pieces of work that are being sent. */
async function twoThatSend() {
  const sender = await shop.join({ works: false });
  const both = [await start('send'), await start('send')];
  await shop.receive(sender, 'o1', 4);
  await until('four are being sent', async () => (await submitted()) === 4);
  for (const child of both) await child.said('sending');
  return { sender, both };
}
const submitted = () => shop.count('toy_documents', 'printing_submitted_at is not null');

describe('an emergency stop', () => {
  it('breaks off what is under way in all processes within a second, and nothing is sent until it is lifted', async () => {
    const { sender, both } = await twoThatSend();
    const began = Date.now();
    await sender.pauses.pause('toy_printing', WHO);
    for (const child of both) await child.said('broke off');
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
    await until('all is handed back', async () => (await jobs('retry')) === 4);
    await shop.receive(sender, 'o2', 6);
    await until('the others are typeset', async () => {
      return (await shop.count('toy_documents', "typesetting_status = 'PROCESSED'")) === 10;
    });
    expect(await submitted()).toBe(4);
    expect(await jobs('active')).toBe(0);
    for (const child of both) await child.kill();
    const seen: Submission[] = [];
    await joinPrinter(seen);
    await sender.pauses.resume('toy_printing', WHO);
    await until('all are printed', async () => (await printed()) === 10);
    // Whoever was broken off may have been heard: the outside is to be asked.
    expect(seen.filter(({ maybeSent }) => maybeSent)).toHaveLength(4);
    expect(seen).toHaveLength(10);
    expect(await shop.count('toy_documents', 'printing_attempts = 1')).toBe(10);
  });

  it('reaches processes that are not told of it within a second', async () => {
    const { both } = await twoThatSend();
    const began = Date.now();
    await shop.database.sql`
      insert into actor_pauses (stage, paused_at, by, reason) values ('toy_printing', now(), 'Amina', 'by hand')`;
    for (const child of both) await child.said('broke off');
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
  });

  it('holds in processes that are started afterwards, and when all were killed', async () => {
    const sender = await shop.join({ works: false });
    await shop.receive(sender, 'o1', 3);
    await sender.pauses.pause('toy_printing', WHO);
    await sender.stop();
    const first = await start('print');
    await until('all are typeset', async () => {
      return (await shop.count('toy_documents', "typesetting_status = 'PROCESSED'")) === 3;
    });
    await first.kill();
    const second = await start('print');
    expect(await shop.count('toy_documents', "printing_status = 'PENDING'")).toBe(3);
    const resumer = await shop.join({ works: false });
    expect(await resumer.pauses.resume('toy_printing', WHO)).toBe(true);
    await second.said('performing');
    await until('all are printed', async () => (await printed()) === 3);
  });

  it('loses nothing of a process that dies in the same moment', async () => {
    const sender = await shop.join({ works: false });
    const victim = await start('hang');
    await shop.receive(sender, 'o1', 3);
    await victim.said('performing');
    const paused = sender.pauses.pause('toy_printing', WHO);
    await victim.kill();
    await paused;
    await until('others hand its work on', async () => (await jobs('active')) === 0);
    const seen: Submission[] = [];
    await joinPrinter(seen);
    expect(await printed()).toBe(0);
    await sender.pauses.resume('toy_printing', WHO);
    await until('all are printed', async () => (await printed()) === 3);
    expect(await shop.count('toy_documents', 'printing_attempts = 1')).toBe(3);
  });
});
