import { randomUUID } from 'node:crypto';
import type {
  MapperConnector,
  ResolveAnswer,
  ResolveRequest,
} from '../connectors/mapper/mapper-connector.ts';
import type { Awaitable } from './bank/harness.ts';
import type { ContractCheck, Judge } from './check.ts';
import { requireSentence } from './connector-fault.ts';
import { askingChecks, type PortHarness, type PortTrial, portCheck } from './port.ts';

/** What the contract test needs of a mapper connector and its mapper. */
export interface MapperHarness extends PortHarness<MapperConnector> {
  /** Lets the mapper know a beneficiary that it did not know, with an address string. @returns the beneficiary's id */
  link(fa: string): Awaitable<string>;
  /** An address string that the mapper can hold; `n` makes it another one each time. */
  address(n: number): string;
}

const RULE = {
  where: 'MapperConnector.resolve',
  rule: 'resolve gives exactly one answer per request, in the order of the requests: an address or an error.',
  remedy: "Go through the requests, and look each one's answer up by its reference id.",
};
const MANY = 30;

/** The contract of {@link MapperConnector}; see `bankConnectorContract` for how checks are run. */
export function mapperConnectorContract(harness: MapperHarness): readonly ContractCheck[] {
  return [
    portCheck(
      harness,
      { ...RULE, id: 'resolve.in_order', name: 'resolve answers every request in its order, known or not' },
      async (trial) => {
        const wanted: (string | null)[] = Array.from({ length: MANY }, (_, n) =>
          n % 3 === 1 ? null : harness.address(n),
        );
        const requests: ResolveRequest[] = [];
        for (const fa of wanted)
          requests.push(requestOf(fa === null ? `unknown-${randomUUID()}` : await harness.link(fa)));
        await requireAnswers(trial, requests, wanted);
      },
    ),
    portCheck(
      harness,
      {
        ...RULE,
        id: 'resolve.same_beneficiary',
        name: 'resolve answers two requests about one beneficiary each',
      },
      async (trial) => {
        const beneficiary = await harness.link(harness.address(1));
        const requests = [requestOf(beneficiary), requestOf(beneficiary)];
        await requireAnswers(trial, requests, [harness.address(1), harness.address(1)]);
      },
    ),
    portCheck(
      harness,
      { ...RULE, id: 'resolve.empty', name: 'resolve of nobody is an empty list' },
      async (trial) => requireAnswers(trial, [], []),
    ),
    ...askingChecks(harness, {
      port: 'MapperConnector',
      method: 'resolve',
      ask: async () => {
        const request = requestOf(await harness.link(harness.address(1)));
        return (connector, ctx) => connector.resolve([request], ctx);
      },
    }),
  ];
}

function requestOf(beneficiaryId: string): ResolveRequest {
  return { referenceId: randomUUID(), beneficiaryId };
}

async function requireAnswers(
  { connector, judge, value }: PortTrial<MapperConnector>,
  requests: readonly ResolveRequest[],
  wanted: readonly (string | null)[],
): Promise<void> {
  const answers = await value((ctx) => connector.resolve(requests, ctx));
  judge.require(
    answers.length === requests.length,
    `${requests.length} requests had ${answers.length} answers`,
  );
  for (const [n, answer] of answers.entries()) requireAnswer(judge, answer, requests[n], wanted[n] ?? null);
}

function requireAnswer(
  judge: Judge,
  answer: ResolveAnswer,
  request: ResolveRequest | undefined,
  wanted: string | null,
): void {
  judge.require(
    answer.referenceId === request?.referenceId && answer.beneficiaryId === request.beneficiaryId,
    `the answer to ${JSON.stringify(request)} was about ${answer.referenceId}, ${answer.beneficiaryId}`,
  );
  judge.require(
    (answer.fa === null) !== (answer.error === null),
    `an answer has ${answer.fa === null ? 'neither an address nor' : 'an address and'} an error`,
  );
  judge.require(
    answer.fa === wanted,
    `the address was ${JSON.stringify(answer.fa)}, not ${JSON.stringify(wanted)}`,
  );
  if (answer.error === null) return;
  judge.require(
    /^[\w.:-]{1,100}$/.test(answer.error.code),
    `the code is ${JSON.stringify(answer.error.code)}`,
  );
  requireSentence(judge, answer.error.message);
}
