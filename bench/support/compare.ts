/** One figure beside its floor, from rounds that took turns in the same run. */
export interface Figure {
  id: string;
  what: string;
  unit: string;
  goal: string;
  floor: number;
  ours: number;
  ratio: number;
  /** The busiest load client of all rounds: above 0.85 of a core the figure is void. */
  clientCpu: number;
}

export interface Round {
  value: number;
  clientCpu: number;
}

/** Where there is nothing to compare with: the goal stands in the floor's place. */
export function goal(value: number): () => Promise<Round> {
  return () => Promise.resolve({ value, clientCpu: 0 });
}

/** Another figure of rounds that were measured already: gives them one by one. */
export function replay(rounds: readonly Round[]): () => Promise<Round> {
  const left = rounds.values();
  return () => Promise.resolve(left.next().value ?? { value: 0, clientCpu: 0 });
}

/** Runs floor and subject in turns; gives medians, and the median of the ratios pair by pair. */
export async function compare(
  about: Pick<Figure, 'id' | 'what' | 'unit' | 'goal'>,
  rounds: number,
  floor: () => Promise<Round>,
  ours: () => Promise<Round>,
): Promise<Figure> {
  const pairs: { floor: Round; ours: Round }[] = [];
  for (let i = 0; i < rounds; i += 1) pairs.push({ floor: await floor(), ours: await ours() });
  return {
    ...about,
    floor: median(pairs.map((pair) => pair.floor.value)),
    ours: median(pairs.map((pair) => pair.ours.value)),
    ratio: median(pairs.map((pair) => pair.ours.value / pair.floor.value)),
    clientCpu: Math.max(...pairs.flatMap((pair) => [pair.floor.clientCpu, pair.ours.clientCpu])),
  };
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function table(figures: Figure[]): string {
  const rows = figures.map(({ id, what, unit, floor, ours, ratio, goal, clientCpu }) => [
    id,
    what,
    `${number(floor)} ${unit}`,
    `${number(ours)} ${unit}`,
    `${ratio.toFixed(2)} x`,
    goal,
    clientCpu > 0.85 ? `void: client at ${clientCpu.toFixed(2)}` : clientCpu.toFixed(2),
  ]);
  const all = [['id', 'work', 'floor', 'Parley', 'ratio', 'goal', 'client cores'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);
}
