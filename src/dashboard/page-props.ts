/** What every page is given: the segments of its place, as text. */
export interface PageProps {
  readonly params: Readonly<Record<string, string>>;
}
