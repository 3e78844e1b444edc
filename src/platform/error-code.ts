/** Whether what was thrown bears one of these codes, of the system (`ENOENT`), of Node or of PostgreSQL. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
