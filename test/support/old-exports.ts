import { writeFile } from 'node:fs/promises';

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
