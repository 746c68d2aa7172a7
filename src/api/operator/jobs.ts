import { z } from 'zod';
import { workerQueue } from '../../runtime/jobs.ts';
import { endpoint } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { stageNamed } from './stages.ts';
import { type JobDetail, job } from './wire/actors.ts';
import { line } from './wire/common.ts';

interface JobRow {
  readonly id: string;
  readonly state: string;
  readonly created_on: Date;
  readonly started_on: Date | null;
  readonly completed_on: Date | null;
  readonly retry_count: number;
  readonly data: Record<string, unknown> | null;
  readonly process: number | null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `GET /operator/jobs/{stage}/{id}`: a job of a stage's work, as the queue has it. */
export const readJob = endpoint({
  method: 'GET',
  path: '/operator/jobs/{stage}/{id}',
  summary: 'A job as its queue has it',
  role: 'viewer',
  params: z.object({ stage: line(100).min(1), id: line(200).min(1) }),
  answer: job,
  refusals: { STAGE_UNKNOWN: 404, JOB_UNKNOWN: 404 },
  async handle({ system, database: { sql } }, { params: { stage, id } }): Promise<JobDetail> {
    const queue = workerQueue({ name: stageNamed(system, stage).stage });
    const rows = UUID.test(id)
      ? await sql<JobRow[]>`
          select j.id, j.state::text as state, j.created_on, j.started_on, j.completed_on, j.retry_count, j.data,
            c.process
          from pgboss.job j left join actor_claims c on c.job_id = j.id::text
          where j.name = ${queue} and j.id = ${id}`
      : [];
    const [row] = rows;
    if (!row) {
      const problem = `There is no job ${id} of ${stage}. Jobs that are done are kept for 15 minutes.`;
      throw new ProblemError(404, 'JOB_UNKNOWN', problem);
    }
    return {
      id: row.id,
      queue,
      state: row.state,
      created_at: row.created_on.toISOString(),
      started_at: row.started_on?.toISOString() ?? null,
      completed_at: row.completed_on?.toISOString() ?? null,
      deliveries: row.retry_count,
      data: row.data ?? {},
      process: row.process,
    };
  },
});
