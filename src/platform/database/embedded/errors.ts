/** Another app lives on this data folder. The message says which process, where that is known. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/** The embedded PostgreSQL cannot be had. The message says what to do about it. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

const CAUSES: Record<string, string> = {
  EACCES: 'permission was denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a file is where a folder should be',
  EEXIST: 'a file is where a folder should be',
};

/** Takes whatever was thrown, gives one of the two errors above with the data folder named in it. */
export function toEmbeddedError(error: unknown, dataDir: string): Error {
  if (error instanceof DataFolderInUseError || error instanceof EmbeddedPostgresError) return error;
  const { code, path, message } = error as NodeJS.ErrnoException;
  const cause = (code && CAUSES[code]) || message;
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${dataDir} cannot be used: ${cause}${path ? ` (${path})` : ''}. ` +
      'See to it that this folder can be written, or set DATABASE_URL to a PostgreSQL of your own.',
    { cause: error },
  );
}
