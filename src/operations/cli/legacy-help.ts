/** What --source is for each --from. */
export const GIVEN: Record<string, string> = {
  characters: 'a folder of mongoexport: chatsessions.json, chatmessages.json, users.json if there is one',
  'chat-sessions': 'an SQLite file with user, chat_session, chat_message',
  'peer-chat': 'a folder of mongoexport, as for characters',
  conversations: 'an SQLite file with conversations, messages',
  servers: 'the postgres:// URL of the community servers',
  discord: 'JSON files of DiscordChatExporter: one, or a folder of them',
  'open-webui': 'the webui.db of Open WebUI',
  chatgpt: 'the data export of ChatGPT, ZIP or folder',
  slack: 'the export of a Slack workspace, ZIP or folder',
};

const width = Math.max(...Object.keys(GIVEN).map(({ length }) => length));

export const HELP = `Takes the data of other chat systems along (docs/legacy.md).

  npm run legacy:import -- --from <system> --source <file, folder or URL> [options]
  npm run legacy:list
  npm run legacy:revert -- <import id>
  npm run legacy:assign -- <import id> --to <username>

Systems, and what their source is:
${Object.entries(GIVEN)
  .map(([system, source]) => `  ${system.padEnd(width)}  ${source}`)
  .join('\n')}

Options:
  --dry-run           reads everything, says what it found, and writes nothing
  --owner <username>  takes what has no owner, and servers of which nobody is known as the administrator
  --label <name>      tells two installations of one system apart
  --rejects <file>    where the rows that cannot be carried are written, each with its reason

It ends with 0 where everything was carried, with 2 where rows were rejected, with 1 where nothing was.`;
