/** Fills PBMS and the farmer registry of demo, tests and benchmarks, and ends. */
import '../shared/quick-start.ts';
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../shared/arguments.ts';
import { start } from '../shared/server.ts';
import { applicationName } from './admin.ts';
import { generate } from './generate.ts';
import {
  type GenerateOptions,
  OptionsError,
  type Program,
  programsOf,
  type Sizes,
  sizesDefault,
  sizesMax,
} from './options.ts';

type Arguments = Sizes & Required<GenerateOptions>;

const seedMax = 2 ** 31;
const prefixCharactersMax = 100;

const options = new Command(applicationName)
  .description('Fills the databases of PBMS and of the farmer registry, in place of whatever they hold')
  .requiredOption('--pbms-url <url>', 'the database of PBMS; must exist')
  .requiredOption('--registry-url <url>', 'the database of the farmer registry; must exist')
  .requiredOption('--programs <json>', 'list of program_id, program_mnemonic, benefit_code_id, …', programs)
  .option('--large-zones <n>', 'large zones', ...size('largeZones'))
  .option('--small-zones <n>', 'small zones, each in one large zone', ...size('smallZones'))
  .option('--warehouses <n>', 'warehouses, each for one or two large zones', ...size('warehouses'))
  .option('--agencies <n>', 'agencies, each for one or two small zones', ...size('agencies'))
  .option('--farmers <n>', 'farmers', ...size('farmers'))
  .option('--zones-without-agency <n>', 'the last small zones go without', ...size('zonesWithoutAgency'))
  .option('--beneficiary-prefix <text>', "what a farmer's id begins with", prefix, 'BEN-')
  .option('--seed <n>', 'the same seed makes the same rows', wholeNumber(0, seedMax), 1)
  .parse()
  .opts<Arguments>();

await start(applicationName, async () => {
  const made = await generate(options);
  const line = {
    large_zones: made.largeZones.length,
    small_zones: made.smallZones.length,
    warehouses: made.warehouses,
    agencies: made.agencies,
    farmers: made.farmers,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
});

function size(name: keyof Sizes): [(text: string) => number, number] {
  return [wholeNumber(0, sizesMax[name]), sizesDefault[name]];
}

function prefix(text: string): string {
  if (text.length <= prefixCharactersMax) return text;
  throw new InvalidArgumentError(`Must have at most ${prefixCharactersMax} characters.`);
}

function programs(text: string): Program[] {
  try {
    return programsOf(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof OptionsError ? error.message : 'It is not JSON.';
    throw new InvalidArgumentError(reason);
  }
}
