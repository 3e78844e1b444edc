import { writeFile } from 'node:fs/promises';
import { zipOf } from './zip.js';

export type ChatGptNode = [parent: string | null, author: string, content: unknown, more?: object];

/** A chat of ChatGPT, from its nodes as `id: [parent, author, content, more?]`; a text is a content of that text. */
export function chatGptChat(id: string, current: string | null, nodes: Record<string, ChatGptNode | null>, more = {}) {
  const mapping = Object.entries(nodes).map(([node, told], at) => {
    if (!told) return [node, { id: node, parent: null, children: [], message: null }];
    const [parent, role, said, rest] = told;
    const content = typeof said === 'string' ? { content_type: 'text', parts: [said] } : said;
    const message = { id: node, author: { role, name: null, metadata: {} }, create_time: 1705314600.25 + at, content };
    return [node, { id: node, parent, children: [], message: { ...message, recipient: 'all', ...rest } }];
  });
  return {
    ...{ id, conversation_id: id, title: `Chat ${id}`, create_time: 1705314600.123456, update_time: 1705314700.5 },
    ...{ current_node: current, default_model_slug: 'gpt-4o', mapping: Object.fromEntries(mapping), ...more },
  };
}

/** A file of chats: one with an answer that was asked for twice. */
export async function chatGptFile(file: string): Promise<string> {
  const nodes: Record<string, ChatGptNode> = {
    a: [null, 'user', 'A'],
    b: ['a', 'assistant', 'B'],
    c: ['a', 'assistant', 'C'],
  };
  await writeFile(file, JSON.stringify([chatGptChat('c-1', 'b', nodes)]));
  return file;
}

/** Times of Slack, a second apart. */
export const slackTs = (n: number, micro = 0) => `${1_700_000_000 + n}.${String(micro).padStart(6, '0')}`;
export const slackMessage = (user: string, n: number, text: string, more: object = {}) => ({
  ...{ type: 'message', user, text, ts: slackTs(n), client_msg_id: `id-${n}`, team: 'T1' },
  ...more,
});
const person = (id: string, name: string, more: object = {}) => ({
  ...{ id, team_id: 'T1', name, deleted: false, is_bot: false, color: '9f69e7' },
  profile: { real_name: `${name} Real`, display_name: name === 'ada' ? 'Ada L' : '', email: `${name}@example.org` },
  ...more,
});

/**
 * The files of a workspace of Slack: ada, who owns it, bob and carl; dora, who is a guest, and eve, who has left; public
 * channels, a private one of ada and bob, direct conversations of two and three and of ada with herself.
 */
export function slackFiles(): Record<string, unknown> {
  const root = { thread_ts: slackTs(10), reply_count: 2 };
  return {
    'users.json': [
      person('U1', 'ada', { is_admin: true, is_owner: true, is_primary_owner: true }),
      person('U2', 'bob'),
      person('U3', 'carl', { is_admin: true }),
      person('U4', 'dora', { is_restricted: true }),
      person('U5', 'eve', { deleted: true }),
      person('U6', 'al', { is_bot: true, profile: { real_name: 'Al Bot' } }),
    ],
    'channels.json': [
      {
        ...{ id: 'C1', name: 'general', created: 1_600_000_000, creator: 'U1', is_archived: false, is_general: true },
        ...{ members: ['U1', 'U2', 'U3'], topic: { value: 'A &amp; B' }, purpose: { value: 'All' } },
        pins: [{ id: slackTs(1), type: 'C', created: 1_700_000_500, user: 'U1' }],
      },
      {
        ...{ id: 'C2', name: 'old', created: 1_600_000_100, creator: 'U2', is_archived: true, is_general: false },
        ...{ members: ['U4'], topic: { value: '' }, purpose: { value: 'Of old' } },
      },
    ],
    'groups.json': [
      {
        ...{ id: 'G1', name: 'secret', created: 1_600_000_200, creator: 'U2', is_archived: false },
        ...{ members: ['U1', 'U2', 'U5'], topic: { value: '' }, purpose: { value: '' } },
      },
    ],
    'mpims.json': [
      { id: 'G2', name: 'mpdm-ada--bob--carl-1', created: 1_600_000_300, creator: 'U1', members: ['U1', 'U2', 'U3'] },
    ],
    'dms.json': [
      { id: 'D1', created: 1_600_000_400, members: ['U1', 'U2'] },
      { id: 'D2', created: 1_600_000_500, members: ['U1', 'U1'] },
    ],
    'integration_logs.json': [],
    'general/2023-11-14.json': [
      slackMessage('U1', 0, '<@U1> has joined the channel', { subtype: 'channel_join' }),
      slackMessage('U1', 1, 'Hi <@U2>, see <#C2|old> &amp; <https://x.org|this>', {
        reactions: [
          { name: '+1', users: ['U2', 'U3'], count: 3 },
          { name: 'party-parrot', users: ['U3'], count: 1 },
        ],
        edited: { user: 'U1', ts: slackTs(5) },
      }),
      slackMessage('U3', 12, 'Early answer', { thread_ts: slackTs(10), parent_user_id: 'U2' }),
      slackMessage('U2', 10, 'A question', root),
      slackMessage('U1', 13, 'To all', { thread_ts: slackTs(10), subtype: 'thread_broadcast' }),
      slackMessage('U2', 14, 'Lost root', { thread_ts: slackTs(3) }),
    ],
    'general/2023-11-15.json': [
      slackMessage('U1', 11, 'Late answer <@U2>', {
        thread_ts: slackTs(10),
        reactions: [{ name: 'heart', users: ['U2'], count: 1 }],
      }),
      {
        ...{ type: 'message', subtype: 'bot_message', bot_id: 'B1', username: 'Deploy', text: '', ts: slackTs(20) },
        ...{
          bot_profile: { id: 'B1', name: 'deployer' },
          attachments: [{ fallback: 'x', title: 'Build <https://ci.org|1>' }],
        },
      },
      slackMessage('U2', 21, '', {
        files: [
          {
            ...{ id: 'F1', name: 'plan.pdf', mimetype: 'application/pdf', size: 5, mode: 'hosted' },
            url_private: 'https://files.slack.com/files-pri/T1-F1/plan.pdf?t=xoxe-secret',
          },
        ],
      }),
      slackMessage('U2', 22, 'thinks', { subtype: 'me_message' }),
      slackMessage('U1', 23, 'edited away', { subtype: 'message_changed' }),
    ],
    'old/2023-11-14.json': [slackMessage('U5', 2, 'I was here')],
    'secret/2023-11-14.json': [
      slackMessage('U2', 3, 'Only <@U1> knows the word rhubarb'),
      slackMessage('U1', 4, 'Yes', { thread_ts: slackTs(3) }),
    ],
    'D1/2023-11-14.json': [
      slackMessage('U1', 5, 'Between us'),
      { ...slackMessage('U2', 5, 'At once'), ts: slackTs(5, 1) },
    ],
    'D2/2023-11-14.json': [slackMessage('U1', 6, 'Note to self')],
    'mpdm-ada--bob--carl-1/2023-11-14.json': [slackMessage('U3', 7, 'We three')],
    'canvas/plan.html': '<p>',
  };
}

export function slackZip(files: Record<string, unknown>, top = ''): Buffer {
  return zipOf(
    Object.entries(files).map(([name, content]) => [
      `${top}${name}`,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  );
}
