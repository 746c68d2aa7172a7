import { useState } from 'react';
import type { JobDetail } from '../../../api/operator/wire/actors.ts';
import { ApiProblem, useView } from '../../api.ts';
import { shortId } from '../../text.ts';
import { Button, Dialog, Empty, Id, StateBadge, Time, View } from '../../ui/index.ts';

interface Props {
  readonly stage: string;
  readonly id: string;
}

/** Opens what the queue knows of a job. */
export function JobButton({ stage, id }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small kind="quiet" label={`Job ${id}`} onClick={() => setOpen(true)}>
        <code>{shortId(id)}</code>
      </Button>
      {open ? <JobDialog stage={stage} id={id} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function JobDialog({ stage, id, onClose }: Props & { readonly onClose: () => void }) {
  const job = useView<JobDetail>(`/operator/jobs/${encodeURIComponent(stage)}/${encodeURIComponent(id)}`, {
    refetchMs: 3_000,
  });
  const isGone = job.error instanceof ApiProblem && job.error.status === 404;
  return (
    <Dialog title="Job" onClose={onClose} wide>
      {isGone && job.data === undefined ? (
        <Empty title="The queue no longer has this job." icon="none">
          Jobs that are done are kept for 15 minutes. The timeline says what became of it.
        </Empty>
      ) : (
        <View of={job}>{(data) => <JobFacts job={data} />}</View>
      )}
    </Dialog>
  );
}

const JobFacts = ({ job }: { readonly job: JobDetail }) => (
  <>
    <dl className="facts">
      <div>
        <dt>Job</dt>
        <dd>
          <Id id={job.id} />
        </dd>
      </div>
      <div>
        <dt>Queue</dt>
        <dd>
          <code>{job.queue}</code>
        </dd>
      </div>
      <div>
        <dt>State</dt>
        <dd>
          <StateBadge state={job.state} />
        </dd>
      </div>
      <div>
        <dt>Created</dt>
        <dd>
          <Time at={job.created_at} full />
        </dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Time at={job.started_at} full />
        </dd>
      </div>
      <div>
        <dt>Completed</dt>
        <dd>
          <Time at={job.completed_at} full />
        </dd>
      </div>
      <div>
        <dt>Handed out before</dt>
        <dd>{job.deliveries === 0 ? 'never' : `${job.deliveries} ×`}</dd>
      </div>
      <div>
        <dt>Process</dt>
        <dd>{job.process === null ? 'none works on it' : `number ${job.process}`}</dd>
      </div>
    </dl>
    <h3>Data</h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
    <pre className="job-data" tabIndex={0}>
      {JSON.stringify(job.data, null, 2)}
    </pre>
  </>
);
