/** The identity server of demo, tests and benchmarks: signs tokens and publishes the keys to check them. */
import '../shared/quick-start.ts';
import { InvalidArgumentError } from 'commander';
import { type ListenArguments, listenCommand, wholeNumber } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { check } from '../shared/validation.ts';
import { mountAdmin } from './admin.ts';
import { type Client, clientsSchema } from './clients.ts';
import { KeyRing } from './keys.ts';
import { discoveryRoute, type Identity, jwksRoute, tokenPath, tokenRoute } from './routes.ts';
import { tokenRulesSchema } from './rules.ts';

interface IdentityArguments extends ListenArguments {
  tokenSeconds: number;
  clients: Client[];
  issuer?: string;
}

const name = 'identity-simulator';
const tokenSecondsMax = 31_536_000;
const clientsDefault: Client[] = [{ client_id: 'g2p-bridge', client_secret: 'secret' }];

const options = listenCommand(name, 'An OpenID Connect and OAuth server: signs tokens, publishes its keys')
  .option('--token-seconds <s>', 'how long a token is good for', wholeNumber(1, tokenSecondsMax), 300)
  .option('--clients <json>', 'who may ask for tokens', readClients, clientsDefault)
  .option('--issuer <url>', 'what it calls itself; without it the address where it listens')
  .parse()
  .opts<IdentityArguments>();

await start(name, async () => {
  const app = createServer(createLog(name));
  const machinery = createMachinery();
  const identity: Identity = {
    keys: await KeyRing.create(),
    clients: options.clients,
    issuer: () => options.issuer ?? app.listeningOrigin,
    tokenSeconds: options.tokenSeconds,
    rules: {},
  };
  app.addHook('onSend', async (request, reply) => {
    if (request.url !== tokenPath) return;
    reply.header('cache-control', 'no-store');
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Basic realm="identity"');
  });
  mount(app, pingRoute(), machinery);
  mount(app, tokenRoute(identity), machinery);
  mount(app, jwksRoute(identity), machinery);
  mount(app, discoveryRoute(identity), machinery);
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

function readClients(text: string): Client[] {
  const checked = check(clientsSchema, parsed(text));
  if ('value' in checked) return checked.value;
  throw new InvalidArgumentError(checked.problem);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Must be JSON.');
  }
}
