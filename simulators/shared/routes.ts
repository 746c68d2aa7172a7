import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FaultSet, type FaultSpec } from './faults.ts';
import { failure } from './server.ts';

const slowBodyPieces = 10;

/** An HTTP answer: an object is sent as JSON, a string as plain text. */
export interface Answer {
  status: number;
  body: object | string;
}

/** A path of the simulated system, open to faults. */
export interface Route<T> {
  method: 'GET' | 'POST';
  path: string;
  /** Checks the request; gives what `handle` needs, or the answer that says what is wrong with it. */
  read: (request: FastifyRequest) => { value: T } | { answer: Answer };
  handle: (value: T) => Promise<Answer>;
  /** The answer of a business refusal, for the fault of that name. */
  refusal: (value: T) => Answer | Promise<Answer>;
}

/** Counts requests by path since the process started. */
export class RequestCounts {
  readonly #byPath = new Map<string, number>();

  add(path: string): void {
    this.#byPath.set(path, (this.#byPath.get(path) ?? 0) + 1);
  }

  clear(): void {
    this.#byPath.clear();
  }

  report(): Record<string, number> {
    return Object.fromEntries(this.#byPath);
  }
}

/** What the paths of one simulator share. */
export interface Machinery {
  faults: FaultSet;
  counts: RequestCounts;
  /** The paths that faults may name. */
  paths: Set<string>;
}

/** Machinery without faults, counts or paths yet. */
export function createMachinery(): Machinery {
  return { faults: new FaultSet(), counts: new RequestCounts(), paths: new Set() };
}

/** Adds a route that counts its requests and suffers the faults set for its path. */
export function mount<T>(app: FastifyInstance, route: Route<T>, machinery: Machinery): void {
  machinery.paths.add(route.path);
  app.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      machinery.counts.add(route.path);
      const { delayMs, fault } = machinery.faults.plan(route.path);
      if (delayMs > 0) await wait(delayMs);
      if (fault?.kind === 'drop_before') return drop(request, reply);
      if (fault?.kind === 'error_before') return send(reply, injectedError(fault));
      const answer = await act(route, request, fault);
      if (fault?.kind === 'drop_after') return drop(request, reply);
      if (fault?.kind === 'error_after') return send(reply, injectedError(fault));
      if (fault?.kind === 'slow_body') return sendSlowly(reply, answer, fault.delay_ms);
      return send(reply, answer);
    },
  });
}

/** `GET /ping`: answers as long as the process does. */
export function pingRoute(): Route<null> {
  return {
    method: 'GET',
    path: '/ping',
    read: () => ({ value: null }),
    handle: async () => ({ status: 200, body: { status: 'success' } }),
    refusal: () => ({ status: 200, body: failure('A refusal was set for this path.') }),
  };
}

async function act<T>(route: Route<T>, request: FastifyRequest, fault: FaultSpec | null): Promise<Answer> {
  const read = route.read(request);
  if ('answer' in read) return read.answer;
  return fault?.kind === 'refuse' ? route.refusal(read.value) : route.handle(read.value);
}

function injectedError(fault: FaultSpec): Answer {
  return { status: fault.status, body: failure('A fault was set for this path.') };
}

function drop(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).send(answer.body);
}

function sendSlowly(reply: FastifyReply, answer: Answer, delayMs: number): FastifyReply {
  const isText = typeof answer.body === 'string';
  const bytes = Buffer.from(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  return reply
    .code(answer.status)
    .header('content-type', isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8')
    .header('content-length', bytes.length)
    .send(Readable.from(trickle(bytes, delayMs), { objectMode: false }));
}

async function* trickle(bytes: Buffer, delayMs: number): AsyncGenerator<Buffer> {
  const pieceBytes = Math.max(1, Math.ceil(bytes.length / slowBodyPieces));
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    await wait(delayMs / slowBodyPieces);
    yield bytes.subarray(offset, offset + pieceBytes);
  }
}
