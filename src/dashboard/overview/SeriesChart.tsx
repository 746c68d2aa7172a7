import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { compactText } from '../format/number.ts';
import { useIsDark } from '../theme.ts';
import type { Minutes } from './series.ts';

const HEIGHT = 84;
const BAR_SHARE = 0.75;
const barPaths = uPlot.paths.bars?.({ size: [BAR_SHARE, 12] });

/** One stage minute by minute: a bar for what was processed, over it one for what failed. The numbers stand beside it. */
export function SeriesChart({ minutes }: { readonly minutes: Minutes }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const dark = useIsDark();
  const data = useRef<uPlot.AlignedData>([[], [], []]);
  data.current = [[...minutes.at], [...minutes.processed], [...minutes.errors]];
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours, read off the style sheet
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const plot = new uPlot(optionsFor(element), data.current, element);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [dark]);
  useEffect(() => {
    chart.current?.setData([[...minutes.at], [...minutes.processed], [...minutes.errors]]);
  }, [minutes]);
  return <div ref={place} className="chart-place" aria-hidden="true" />;
}

function optionsFor(element: HTMLElement): uPlot.Options {
  const colour = (name: string): string => resolved(element, name);
  const axis = { stroke: colour('--chart-text'), font: '11px system-ui', ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 18, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
    series: [{}, bars(colour('--chart-line')), bars(colour('--chart-error'))],
    axes: [
      {
        ...axis,
        size: 20,
        gap: 4,
        space: 60,
        grid: { show: false },
        values: (_plot, splits) =>
          splits.map((second) => new Date(second * 1_000).toISOString().slice(11, 16)),
      },
      {
        ...axis,
        size: 40,
        gap: 4,
        values: (_plot, splits) => splits.map(compactText),
        space: 26,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
        grid: { stroke: colour('--chart-grid'), width: 1 },
      },
    ],
  };
}

const bars = (colour: string): uPlot.Series => ({
  stroke: colour,
  fill: colour,
  width: 0,
  points: { show: false },
  ...(barPaths === undefined ? {} : { paths: barPaths }),
});

/** A canvas knows no custom properties: has the browser say which colour one is in the theme in force. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
