import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problem.ts';
import type { Operator } from '../wire/common.ts';

/** Whoever sits at this machine. */
const OPERATOR: Operator = { id: 'loopback', name: 'loopback', role: 'payer' };

/** Addresses that no other machine can have; IPv4 ones also as IPv6 writes them. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** The names by which this machine calls itself; a page of another name that got itself this address is not ours. */
const OWN_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Headers in which proxies name the host that was asked, and what asked. */
const HOST_HEADERS = ['host', 'x-forwarded-host'] as const;
const ADDRESS_HEADERS = ['x-forwarded-for', 'x-real-ip'] as const;
/** Headers of proxies that are for others, whatever is in them. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'] as const;

/**
 * The operator of a request from this machine, which was meant for this machine. All addresses and host names that a
 * proxy left count, whoever is trusted: a proxy here may have brought the request from anywhere.
 *
 * @throws ProblemError NOT_LOOPBACK for any other request
 */
export async function loopbackOperator({ headers, socket }: FastifyRequest): Promise<Operator> {
  const addresses = [socket.remoteAddress, ...ADDRESS_HEADERS.flatMap((name) => itemsOf(headers[name]))];
  const foreign = addresses.find((address) => !isLoopback(address));
  if (
    foreign !== undefined ||
    addresses[0] === undefined ||
    PROXY_HEADERS.some((name) => headers[name] !== undefined)
  ) {
    throw refusal('It came from another machine or through a proxy.');
  }
  const hosts = HOST_HEADERS.flatMap((name) => itemsOf(headers[name]));
  if (headers.host === undefined || !hosts.every((host) => OWN_HOST.test(host))) {
    throw refusal('It names another host than localhost.');
  }
  return OPERATOR;
}

function isLoopback(address: string | undefined): boolean {
  const version = isIP(address ?? '');
  return version !== 0 && LOOPBACK.check(address ?? '', version === 6 ? 'ipv6' : 'ipv4');
}

function itemsOf(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  return [header]
    .flat()
    .join(',')
    .split(',')
    .map((item) => item.trim());
}

function refusal(why: string): ProblemError {
  const what = 'Without sign-in, only this machine is served, at http://localhost or http://127.0.0.1.';
  const how = 'Set G2P_BRIDGE_OPERATOR_ACCESS=token or G2P_BRIDGE_OPERATOR_OIDC_ISSUER to serve others.';
  return new ProblemError(403, 'NOT_LOOPBACK', `${what} ${why} ${how}`);
}
