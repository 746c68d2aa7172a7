/** The identity server of demo, tests and benchmarks: signs tokens and publishes the keys to check them. */
import '../shared/quick-start.ts';
import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { type ListenArguments, listenCommand, wholeNumber } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { check } from '../shared/validation.ts';
import { mountAdmin } from './admin.ts';
import { mountAuthorize } from './authorize.ts';
import { type Client, clientsSchema } from './clients.ts';
import { Codes } from './codes.ts';
import type { Identity } from './identity.ts';
import { KeyRing } from './keys.ts';
import { discoveryRoute, jwksRoute, tokenPath, tokenRoute } from './routes.ts';
import { tokenRulesSchema } from './rules.ts';
import { type User, usersDefault, usersSchema } from './users.ts';

interface IdentityArguments extends ListenArguments {
  tokenSeconds: number;
  clients: Client[];
  users: User[];
  issuer?: string;
}

const name = 'identity-simulator';
const tokenSecondsMax = 31_536_000;
const clientsDefault: Client[] = [
  { client_id: 'g2p-bridge', client_secret: 'secret' },
  { client_id: 'g2p-bridge-dashboard', redirect_uris: ['http://127.0.0.1/', 'http://localhost/'] },
];

const options = listenCommand(name, 'An OpenID Connect and OAuth server: signs tokens, publishes its keys')
  .option('--token-seconds <s>', 'how long a token is good for', wholeNumber(1, tokenSecondsMax), 300)
  .option('--clients <json>', 'who may ask for tokens', jsonOf(clientsSchema), clientsDefault)
  .option('--users <json>', 'who can sign in', jsonOf(usersSchema), usersDefault)
  .option('--issuer <url>', 'what it calls itself; without it the address where it listens')
  .parse()
  .opts<IdentityArguments>();

await start(name, async () => {
  const app = createServer(createLog(name));
  const machinery = createMachinery();
  const identity: Identity = {
    keys: await KeyRing.create(),
    clients: options.clients,
    users: options.users,
    codes: new Codes(),
    issuer: () => options.issuer ?? app.listeningOrigin,
    tokenSeconds: options.tokenSeconds,
    rules: {},
  };
  // Pages of other origins, such as the dashboard's, ask for themselves.
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('access-control-allow-origin', '*');
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.url !== tokenPath) return;
    reply.header('cache-control', 'no-store');
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Basic realm="identity"');
  });
  mount(app, pingRoute(), machinery);
  mount(app, tokenRoute(identity), machinery);
  mount(app, jwksRoute(identity), machinery);
  mount(app, discoveryRoute(identity), machinery);
  mountAuthorize(app, identity);
  mountControl(app, machinery, {
    name: 'tokens',
    schema: tokenRulesSchema,
    apply: (rules) => {
      identity.rules = rules ?? {};
    },
    report: () => identity.rules,
  });
  mountAdmin(app, identity, () => {
    machinery.faults.replace([]);
    machinery.counts.clear();
    identity.rules = {};
  });
  await serve(app, options, async () => {});
});

function jsonOf<T>(schema: z.ZodType<T>): (text: string) => T {
  return (text) => {
    const checked = check(schema, parsed(text));
    if ('value' in checked) return checked.value;
    throw new InvalidArgumentError(checked.problem);
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Must be JSON.');
  }
}
