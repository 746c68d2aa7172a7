import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Submission } from '../../src/cli/demo/submit.ts';
import { connect } from '../../src/db/connection.ts';
import { silentObserver } from '../../src/runtime/observer.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { runCli } from '../cli/run.ts';
import { openSocket } from '../support/operators.ts';
import { statementText } from '../support/records.ts';
import { until } from '../support/wait.ts';
import { type FullRun, openFullRun } from './full-run.ts';

const REASON = 'checking the rights';

let run: FullRun;
/** Everything that was said, by who said it. */
const said = new Map<string, string>();
let stageErrors: readonly string[];
/** A cancelled envelope and a processed statement. */
let ended: readonly string[];

/** Asks the api, and keeps the answer. */
async function ask(path: string, init: RequestInit = {}, headers: Record<string, string> = {}) {
  const response = await fetch(run.bridgeUrl + path, { ...init, headers: { ...headers } });
  const text = await response.text();
  said.set(`answer to ${init.method ?? 'GET'} ${path}`, `${JSON.stringify([...response.headers])} ${text}`);
  return { status: response.status, text };
}

const signedIn = () => ({ authorization: `Bearer ${run.firstToken}` });
const get = (path: string) => ask(path, {}, signedIn());
const act = (path: string, body: object) =>
  ask(
    path,
    { method: 'POST', body: JSON.stringify(body) },
    { ...signedIn(), 'content-type': 'application/json' },
  );

/** What waited for OAuth may have used up its attempts meanwhile. */
async function triedAgain(stage: string): Promise<false> {
  await act('/operator/actions/retry', { target: { stage }, reason: REASON });
  await delay(200);
  return false;
}

/** An outside that refuses, and repeats what it is sent, until each part has done so and the pipeline has heard. */
async function refuseAll(): Promise<void> {
  const [bank, spar, novu, oauth] = run.proxies;
  if (!bank || !spar || !novu || !oauth) throw new Error('There are four proxies.');
  await until(
    'bank, notifications and OAuth have refused',
    () => [bank, novu, oauth].every(({ echoed }) => echoed > 1),
    60_000,
  );
  oauth.refuse(null);
  await until('the mapper has refused', () => spar.echoed > 1 || triedAgain('mapper_resolution'), 60_000);
  for (const proxy of run.proxies) proxy.refuse(null);
}

/** An operator has everything tried again that stopped, until nothing is left. */
async function retryAll(sent: readonly Submission[]): Promise<readonly string[]> {
  const stopped = new Set<string>();
  const ended = new AbortController();
  const done = run.complete(sent).finally(() => ended.abort());
  while (!ended.signal.aborted) {
    const { groups } = JSON.parse((await get('/operator/errors')).text);
    for (const { stage } of groups as readonly { stage: string }[]) {
      stopped.add(stage);
      await act('/operator/actions/retry', { target: { stage }, reason: REASON });
    }
    await Promise.race([done, delay(200)]);
  }
  await done;
  return [...stopped];
}

/** An envelope is cancelled when its funds are blocked, and they are given back. @returns its id */
async function cancelOne(): Promise<string> {
  const cash = run.programs.filter(({ benefitType }) => benefitType === 'CASH_DIGITAL');
  await act('/operator/stages/mapper_resolution/pause', { reason: REASON });
  const [envelope] = await run.submit(cash, 'cancelled');
  const id = envelope?.id ?? '';
  const funds = async () => {
    const [row] = await run.admin<{ blocked: string; released: string }[]>`
      select funds_blocked_with_bank as blocked, funds_released_status as released
      from envelope_batch_status_for_cash where disbursement_envelope_id = ${id}`;
    return row;
  };
  await until(
    'the funds are blocked',
    async () => (await funds())?.blocked === 'FUNDS_BLOCK_SUCCESS',
    60_000,
  );
  const { status, text } = await act(`/operator/envelopes/${id}/cancel`, { reason: REASON });
  expect(status, text).toBe(200);
  await until('the funds are given back', async () => (await funds())?.released === 'PROCESSED', 60_000);
  await act('/operator/stages/mapper_resolution/resume', { reason: REASON });
  return id;
}

/** An operator uploads a statement, and it is processed. @returns its id */
async function uploadOne(): Promise<string> {
  const account = run.programs.find(({ account: one }) => one !== null)?.account ?? '';
  const form = new FormData();
  form.append('reason', REASON);
  form.append('statement_file', new Blob([statementText(account, [])]), 'statement.txt');
  const { status, text } = await ask('/operator/statements', { method: 'POST', body: form }, signedIn());
  expect(status, text).toBe(200);
  const id = String(JSON.parse(text).statements[0]?.statement_id);
  await until('the statement is processed', async () => {
    const [row] = await run.admin<{ status: string }[]>`
      select statement_process_status as status from account_statements where statement_id = ${id}`;
    return row?.status === 'PROCESSED';
  });
  return id;
}

async function look(sent: readonly Submission[]): Promise<void> {
  const id = sent[0]?.id ?? '';
  const batch = (await run.admin<{ id: string }[]>`select id from disbursement_batch_control limit 1`)[0]?.id;
  const paths = [
    ...['access', 'session', 'inspector', 'audit', 'overview', 'throughput', 'operations', 'configuration'],
    ...['envelopes', `envelopes/${id}`, `envelopes/${id}/batches`, 'machines', `actors/batch/${batch}`],
    ...[`actors/batch/${batch}/transitions`, `actors/envelope/${id}/children`, 'errors', 'statements'],
    ...['discrepancies?kind=missing', `find?q=${id}`],
  ];
  for (const path of paths) await get(`/operator/${path}`);
  for (const path of ['/readyz', '/healthz', '/metrics', '/openapi.json']) await ask(path);
  said.set('metrics of the api', (await ask('/metrics')).text);
  said.set('metrics of the worker', await (await fetch(`${run.workerUrl}/metrics`)).text());
  // Nobody is told what was wrong with a token but that it is.
  await ask('/operator/session', {}, { authorization: `Bearer ${run.firstToken}x` });
  const { ticket } = JSON.parse((await act('/operator/tickets', {})).text);
  const socket = await openSocket(`${run.bridgeUrl.replace('http', 'ws')}/feed?after=0&ticket=${ticket}`);
  await until('the feed has told the past', () => socket.messages.length > 50);
  said.set('feed', JSON.stringify(socket.messages));
  socket.close();
}

async function callCommands(sent: readonly Submission[]): Promise<void> {
  const to = ['--url', run.bridgeUrl];
  const env = { G2P_BRIDGE_TOKEN: run.firstToken };
  const commands: readonly (readonly string[])[] = [
    ['stages', ...to],
    ['errors', ...to],
    ['status', sent[0]?.id ?? '', ...to, '--sender', 'ministry', '--sign-key', run.signFile],
  ];
  await Promise.all(
    commands.map(async (command) => {
      const { stdout, stderr } = await runCli(command, env);
      said.set(`g2p-bridge ${command[0]}`, stdout + stderr);
    }),
  );
  const { stdout } = await runCli(['tokens', 'list'], { DATABASE_URL: run.as('api') });
  expect(stdout).toContain('first');
  said.set('g2p-bridge tokens', stdout);
}

let sent: readonly Submission[];
beforeAll(async () => {
  run = await openFullRun();
  for (const proxy of run.proxies) proxy.refuse([500, 401]);
  sent = await run.submit();
  await refuseAll();
  stageErrors = await retryAll(sent);
  await act('/operator/stages/geo_resolution/pause', { reason: REASON });
  await act('/operator/stages/geo_resolution/resume', { reason: REASON });
  ended = [await cancelOne(), await uploadOne()];
  await look(sent);
  await callCommands(sent);
}, 120_000);
afterAll(() => run?.close());

describe('with the least rights', () => {
  it('everything comes to its end, and operators can do what they do', async () => {
    expect(run.migrated).toMatchObject({ code: 0, stderr: '' });
    expect(stageErrors.length).toBeGreaterThan(0);
    const [audit] = await run.admin<{ actions: string[] }[]>`
      select array_agg(distinct action order by action) as actions from operator_actions`;
    expect(audit?.actions).toEqual(expect.arrayContaining(['cancel', 'pause', 'resume', 'retry', 'upload']));
    const failed = [...said].filter(([, text]) =>
      /"status":5\d\d|DATABASE_42501|permission denied/.test(text),
    );
    expect(failed.map(([what]) => what)).toEqual([]);
    const wrote = [run.api, run.worker].map((child) => child.stdout() + child.stderr()).join('');
    expect(wrote).not.toMatch(/permission denied|must be owner/);
  });
});

describe('secrets', () => {
  const found = (texts: ReadonlyMap<string, string>, hidden: ReadonlyMap<string, string>): string[] =>
    [...texts].flatMap(([where, text]) =>
      [...hidden]
        .filter(([, value]) => value !== '' && text.includes(value))
        .map(([what]) => `${what} in ${where}`),
    );
  /** What the processes wrote, without the one line that shows the first token, once. */
  const output = () =>
    new Map(
      Object.entries({ api: run.api, worker: run.worker }).map(([name, child]) => [
        `output of the ${name}`,
        child.stdout().replace(/^\{"ready":true.*\n/m, '') + child.stderr(),
      ]),
    );

  it('stand in no output at any level, in no answer, in no metric and on no page', () => {
    expect(run.secrets().size).toBeGreaterThan(14);
    expect([...run.secrets()].filter(([, value]) => value.length < 10)).toEqual([]);
    expect(output().get('output of the worker')).toContain('"level":20');
    expect(said.get('answer to GET /operator/configuration')).toContain('********');
    expect(found(new Map([...output(), ...said]), run.secrets())).toEqual([]);
  });

  it('stand in no table', async () => {
    const tables = await run.admin<{ name: string }[]>`
      select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('public', 'pgboss', 'drizzle')`;
    const dump = new Map<string, string>();
    for (const { name } of tables) {
      const [all] = await run.admin.unsafe(
        `select coalesce(string_agg(t::text, e'\\n'), '') || coalesce(string_agg(to_jsonb(t)::text, e'\\n'), '') as text
         from ${name} t`,
      );
      dump.set(`table ${name}`, String(all?.text));
    }
    expect(dump.get('table public.actor_transitions')).toContain('Refused');
    expect(found(dump, run.secrets())).toEqual([]);
  });

  it('nor do names, accounts and numbers of people in logs and metrics', () => {
    const personal = new Map(
      run.people.flatMap(({ name, account, phone }, n) =>
        Object.entries({ name, account, phone }).map(([what, value]) => [`${what} ${n}`, value] as const),
      ),
    );
    // What others say of a failure may quote people; only debug has it.
    const logs = [...output()].map(
      ([where, text]) => [where, text.replace(/^\{"level":[12]0,.*\n/gm, '')] as const,
    );
    const metrics = [...said].filter(([where]) => where.includes('metrics'));
    expect(logs.map(([, text]) => text.split('\n').length > 20)).toEqual([true, true]);
    expect(found(new Map([...logs, ...metrics]), personal)).toEqual([]);
  });
});

describe('a role cannot do what is not its own:', () => {
  it.each<[role: 'api' | 'worker' | 'readonly', what: string, statement: string]>([
    ['api', 'change the journal', "update actor_transitions set error_message = ''"],
    ['api', 'remove from the journal', 'delete from actor_transitions'],
    ['api', 'remove disbursements', 'delete from disbursements'],
    ['api', 'reconcile', 'update disbursement_recons set remittance_statement_id = null'],
    ['api', 'read the texts of statements', 'select * from account_statement_lobs'],
    ['api', 'rewrite who did something', "update operator_actions set operator_id = ''"],
    ['api', 'remove from the audit log', 'delete from operator_actions'],
    ['api', 'have the owner run something', "update pgboss.bam set command = 'select 1'"],
    ['api', 'make queues', "select pgboss.create_queue('mine', '{}')"],
    ['api', 'drop tables', 'drop table disbursements'],
    ['api', 'empty tables', 'truncate disbursements'],
    ['api', 'make tables', 'create table mine (id int)'],
    ['api', 'make schemas', 'create schema mine'],
    ['api', 'make functions', "create function pgboss.mine() returns int language sql as 'select 1'"],
    ['api', 'become the owner', 'set role :owner'],
    ['worker', 'change the journal', "update actor_transitions set error_message = ''"],
    ['worker', 'read tokens', 'select * from operator_tokens'],
    ['worker', 'read tickets', 'select * from operator_tickets'],
    ['worker', 'read the audit log', 'select * from operator_actions'],
    ['worker', 'receive disbursements', 'insert into disbursements default values'],
    ['worker', 'remove records of payments', 'delete from disbursement_recons'],
    ['worker', 'pause', 'insert into actor_pauses default values'],
    ['worker', 'make tables', 'create table mine (id int)'],
    ['readonly', 'write', "update disbursements set narrative = ''"],
    ['readonly', 'read tokens', 'select * from operator_tokens'],
    ['readonly', 'read the texts of statements', 'select * from account_statement_lobs'],
    ['readonly', 'make temporary tables', 'create temporary table mine (id int)'],
  ])('the %s cannot %s', async (role, _what, statement) => {
    const text = statement.replace(':owner', run.roles.owner);
    await expect(run.tryAs(role, text)).rejects.toMatchObject({ code: '42501' });
  });

  it('though each can do what is', async () => {
    await run.tryAs('readonly', 'select count(*) from disbursements, actor_transitions');
    await run.tryAs('owner', 'alter table disbursements set (fillfactor = 90)');
  });

  it('the worker removes the history of what has come to its end', async () => {
    const database = connect(run.as('worker'), { max: 4 });
    const troubles: unknown[] = [];
    const system = new ActorSystem({
      database,
      actors: ACTORS,
      stages: [],
      works: true,
      retention: { keepMs: 1, firstMs: 0, everyMs: 50 },
      observer: { ...silentObserver, troubled: (_what, error) => troubles.push(error) },
    });
    await system.start();
    try {
      await until('it is gone', async () => {
        expect(troubles).toEqual([]);
        const [left] = await run.admin<{ entries: number; marks: number }[]>`
          select (select count(*)::int from actor_transitions where correlation_id = any(${[...ended]})) as entries,
            (select count(*)::int from actor_pruned where emptied and correlation_id = any(${[...ended]})) as marks`;
        return left?.entries === 0 && left.marks === ended.length;
      });
    } finally {
      await system.stop();
      await database.close();
    }
  });

  it('whoever is none of them cannot connect, or sees nothing', async () => {
    await expect(run.tryAsStranger('select 1')).rejects.toMatchObject({ code: '42501' });
  });

  it('no table is forgotten: each has its line among the grants', async () => {
    const tables = await run.admin<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'public'`;
    const { TABLE_GRANTS } = await import('../../src/db/grants.ts');
    expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(TABLE_GRANTS).sort());
  });
});
