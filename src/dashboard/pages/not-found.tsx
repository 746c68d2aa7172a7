import { Link } from 'wouter';
import { links } from '../links.ts';
import { Empty, Page } from '../ui/index.ts';

export default function NotFoundPage() {
  return (
    <Page title="No such page">
      <Empty title="There is no page at this address." icon="find">
        Go to the <Link href={links.overview()}>overview</Link>, or find a record by its id.
      </Empty>
    </Page>
  );
}
