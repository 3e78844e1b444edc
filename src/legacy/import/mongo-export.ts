import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { countDocuments, documents } from './mongo-documents.js';
import { readMongoUser } from './mongo-user.js';
import { type Source, SourceError, type SourceTable } from './source.js';

type Collection = Pick<SourceTable, 'name' | 'count' | 'rows'>;

/**
 * The file of a collection in a folder, however its name is spelled: chatsessions.json, chatMessages.ndjson. Throws
 * SourceError where it is missing.
 */
async function collection(folder: string, name: string): Promise<Collection> {
  const found = await optionalCollection(folder, name);
  if (!found) throw new SourceError(`${folder} has no ${name}.json.`);
  return found;
}

/** Gives nothing where there is no such file. */
async function optionalCollection(folder: string, name: string): Promise<Collection | undefined> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new SourceError(`${folder} is no folder: give the one with the files of mongoexport.`);
  const pattern = new RegExp(`^${name}\\.(json|ndjson|jsonl)$`, 'i');
  const files = (await readdir(folder)).filter((each) => pattern.test(each));
  if (files.length > 1) throw new SourceError(`${folder} has more than one file of ${name}: ${files.join(', ')}.`);
  if (!files[0]) return undefined;
  const file = path.join(folder, files[0]);
  return { name, rows: () => documents(file), count: () => countDocuments(file) };
}

/**
 * The collections of an old chat backend in the folder of their files; each system reads its rows in its own way. People
 * need not be among them: who is named only becomes an account without a password.
 */
export async function mongoSource(
  system: string,
  location: string,
  label: string,
  read: { session: SourceTable['understand']; message: SourceTable['understand'] },
): Promise<Source> {
  const sessions = await collection(location, 'chatsessions');
  const messages = await collection(location, 'chatmessages');
  const people = await optionalCollection(location, 'users');
  return {
    system,
    label,
    location,
    ownerless: `legacy-user-${Date.now()}`,
    unknownUsers: 'account',
    tables: [
      ...(people ? [{ ...people, understand: readMongoUser }] : []),
      { ...sessions, understand: read.session },
      { ...messages, understand: read.message },
    ],
    otherTables: await otherFiles(location, ['users', 'chatsessions', 'chatmessages']),
    close: () => Promise.resolve(),
  };
}

/** Other files in the folder, which are not read. */
async function otherFiles(folder: string, names: string[]): Promise<Record<string, number>> {
  const stems = (await readdir(folder)).filter((file) => !names.includes(path.parse(file).name.toLowerCase()));
  return Object.fromEntries(stems.map((file) => [file, 1]));
}
