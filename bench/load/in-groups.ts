/** Opens one for each, a hundred at a time; gives them in the order of the items. */
export async function inGroups<T, R>(items: T[], open: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const opened: R[] = [];
  for (let i = 0; i < items.length; i += 100) {
    opened.push(...(await Promise.all(items.slice(i, i + 100).map((item, n) => open(item, i + n)))));
  }
  return opened;
}
