import '../../src/quick-start.ts';
import { startPipelineSystem } from './pipeline-system.ts';

/** A process of the pipeline that tests may kill. Its one argument is JSON: `[databaseUrl, settings]`. */
const [databaseUrl, settings] = JSON.parse(process.argv[2] ?? '[]');
await startPipelineSystem(databaseUrl, settings);
process.stdout.write('ready\n');
