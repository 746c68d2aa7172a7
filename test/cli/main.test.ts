import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { defaultServerUrl } from '../../src/cli/server-url.ts';
import { runCli } from './run.ts';

it('lists its commands and what its exit codes mean, also for each command', async () => {
  const calls = [
    ['--help'],
    ['submit', '--help'],
    ['help', 'status'],
    ['migrate', '-h'],
    ['demo', '--help'],
    ['serve', '--help'],
    ['retry', '--help'],
    ['stop-payments', '--help'],
  ];
  const answers = await Promise.all(calls.map(async (args) => ({ args, ...(await runCli(args)) })));
  for (const { args, code, stdout, stderr } of answers) {
    expect([args, code, stderr]).toEqual([args, 0, '']);
    expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}70 .*\n {2}130 /);
  }
  const names = [
    'serve',
    'demo',
    'migrate',
    'submit',
    'status',
    'errors',
    'stages',
    'retry',
    'release',
    'dispatch',
  ];
  for (const name of [...names, 'cancel', 'tick', 'pause', 'resume', 'stop-payments']) {
    expect(answers[0]?.stdout).toMatch(`\n  ${name} `);
  }
});

it('says which version it is', async () => {
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
});

it.each([
  [['submt', 'x.csv'], "unknown command 'submt' (Did you mean submit?). Try: g2p-bridge --help"],
  [['submit'], "missing required argument 'file.csv'. Try: g2p-bridge submit --help"],
  [
    ['submit', 'a.csv', 'b.csv'],
    "too many arguments for 'submit'. Expected 1 argument but got 2: a.csv, b.csv. Try: g2p-bridge submit --help",
  ],
  [
    ['status', '--onse', 'x'],
    "unknown option '--onse' (Did you mean --once?). Try: g2p-bridge status --help",
  ],
  [['status', 'x', '--interval', '0'], '--interval must be seconds from 0.1 to 3600, not "0".'],
  [
    ['demo', '--types', 'COMMODITY,GOODS'],
    '--types takes CASH_DIGITAL, CASH_PHYSICAL, COMMODITY, SERVICE, COMBINATION, separated by commas, not "GOODS".',
  ],
  [['demo', '--disbursements', '0'], '--disbursements must be a whole number from 1 to 10000000, not "0".'],
  [['submit', 'x', '--batch-size', '1e3'], '--batch-size must be a whole number from 1 to 10000, not "1e3".'],
  [
    ['status', 'x', '--url', 'localhost:8000'],
    '--url must begin with http:// or https://, not be "localhost:8000".',
  ],
])('refuses %j in one line', async (args, sentence) => {
  const [plain, json] = await Promise.all([runCli(args), runCli([...args, '--json'])]);
  expect(plain).toEqual({ code: 2, stdout: '', stderr: `error USAGE: ${sentence}\n` });
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'USAGE', exit_code: 2 } });
});

it('refuses a wrong setting in one line that names it', async () => {
  const { code, stderr } = await runCli(['migrate'], { G2P_BRIDGE_PROT: '8000' });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^error CONFIG_UNKNOWN_SETTING: G2P_BRIDGE_PROT .*PORT\.\n$/),
  ]);
});

it('looks for the server where the configuration puts it', () => {
  expect(defaultServerUrl({})).toBe('http://127.0.0.1:8000');
  expect(
    defaultServerUrl({ G2P_BRIDGE_HOST: '0.0.0.0', G2P_BRIDGE_PORT: '9000', G2P_BRIDGE_ROOT_PATH: '/g2p/' }),
  ).toBe('http://127.0.0.1:9000/g2p');
  expect(defaultServerUrl({ G2P_BRIDGE_HOST: '::1', G2P_BRIDGE_PORT: 'tcp://10.0.0.1:8000' })).toBe(
    'http://[::1]:8000',
  );
});
