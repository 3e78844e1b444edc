import type { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { FEWEST_IN_DIRECT, MOST_IN_DIRECT } from '../../directs/direct.entity.js';
import { canonicalEmoji } from '../../messages/reactions/emoji.js';
import { ABSENT, Communities } from './communities.js';
import { mentionedIn, withMentions } from './mentioning.js';
import { messageRow, reactionRow, revisionRow, rootRow } from './message-rows.js';
import { People } from './people.js';
import type { ReadRow } from './reading.js';
import { remember } from './remembering.js';
import { channelRow, directRow, sessionRow, threadRow } from './room-rows.js';
import type { Notes } from './row.js';
import type { OldChannel, OldDirect, OldMessage, OldReaction, OldSession, OldThread, Source } from './source.js';
import { createStages, type Field, type Stage, Stager } from './staging.js';
import { namedId } from './values.js';

export interface Judged {
  carried: number;
  before: number;
}

/**
 * Takes the rows of a source one by one: rooms and messages are staged in the database; accounts, servers, agents
 * and memberships, which are few, are judged here and kept until all is read.
 */
export class Intake {
  /** What was judged here and is not staged, by table. */
  readonly judged = new Map<string, Judged>();
  private readonly stager: Stager;
  private readonly agents = new Map<string, { id: string; isNew: boolean }>();
  /** Also of those that were renamed or deleted since. */
  private readonly agentIds = new Set<string>();

  private constructor(
    private readonly client: Client,
    readonly scope: string,
    readonly people: People,
    private readonly communities: Communities,
  ) {
    this.stager = new Stager(client);
  }

  /** Throws SourceError where `owner` names nobody. */
  static async open(client: Client, scope: string, source: Source, notes: Notes, owner?: string): Promise<Intake> {
    const people = await People.load(client, scope, source, notes, owner);
    const communities = await Communities.load(client, scope, people);
    const agents = await client.query<{ slug: string; id: string; deleted: boolean }>(
      `SELECT slug, id, deleted_at IS NOT NULL AS deleted FROM agents`,
    );
    await createStages(client);
    const intake = new Intake(client, scope, people, communities);
    for (const { slug, id, deleted } of agents.rows) {
      intake.agentIds.add(id);
      if (!deleted) intake.agents.set(slug, { id, isNew: false });
    }
    return intake;
  }

  /** Gives what is to be waited for before the next one, if anything. */
  add(row: ReadRow): Promise<void> | undefined {
    if (!this.needsNames(row)) return this.takeNow(row);
    return this.people.settle().then(() => this.takeNow(row));
  }

  end(): Promise<void> {
    return this.stager.end();
  }

  /** Makes the accounts, agents, servers and memberships. */
  async store(importId: string): Promise<{ total: number; accounts: number; agents: number }> {
    const accounts = await this.people.store(importId);
    const agents = [...this.agents].filter(([, { isNew }]) => isNew);
    for (const [slug, { id }] of agents) {
      await this.client.query(`INSERT INTO agents (id, slug, name, kind, enabled) VALUES ($1, $2, $2, 'echo', false)`, [
        id,
        slug,
      ]);
      await remember(this.client, { scope: this.scope, importId }, 'agent', slug, id);
    }
    const total = accounts + agents.length + (await this.communities.store(importId));
    return { total, accounts, agents: agents.length };
  }

  /** How the people are called here who are mentioned in it by their ids. */
  private needsNames({ entry }: ReadRow): boolean {
    return entry.kind === 'message' && !this.people.isSettled && mentionedIn(entry.content).length > 0;
  }

  private takeNow({ n, table, entry }: ReadRow): Promise<void> | undefined {
    const refusal = this.take(n, table, entry);
    if (refusal !== undefined) this.stager.add('refused', [n, table, refusal]);
    return this.stager.room();
  }

  /** Gives the reason where the row cannot be carried. */
  private take(n: number, table: string, entry: ReadRow['entry']): string | undefined {
    switch (entry.kind) {
      case 'unreadable':
        return entry.reason;
      case 'user':
        return this.count(table, this.people.add(entry, table));
      case 'password':
        return this.count(table, this.people.addPassword(entry, table) ?? ABSENT('person'));
      case 'server':
        return this.count(table, this.communities.addServer(entry));
      case 'membership':
        return this.count(table, this.communities.addMembership(entry));
      case 'session':
        return this.stage('old_rooms', n, table, this.session(entry));
      case 'channel':
        return this.stage('old_rooms', n, table, this.channel(entry));
      case 'direct':
        return this.stage('old_rooms', n, table, this.direct(entry));
      case 'thread':
        return this.thread(n, table, entry);
      case 'message':
        return this.stage('old_messages', n, table, this.message(entry));
      case 'revision':
        return this.stage('old_revisions', n, table, revisionRow(entry));
      case 'reaction':
        return this.stage('old_reactions', n, table, this.reaction(entry));
    }
  }

  /** Takes what is to be staged, or the reason why it is not. */
  private stage(stage: Stage, n: number, table: string, row: Field[] | string): string | undefined {
    if (typeof row === 'string') return row;
    this.stager.add(stage, [n, table, ...row]);
    return undefined;
  }

  private count(table: string, outcome: string): string | undefined {
    if (outcome === 'twice') return 'duplicate id';
    if (outcome !== 'new' && outcome !== 'known') return outcome;
    const judged = this.judged.get(table) ?? { carried: 0, before: 0 };
    judged[outcome === 'new' ? 'carried' : 'before'] += 1;
    this.judged.set(table, judged);
    return undefined;
  }

  private session(session: OldSession): Field[] | string {
    const owner = session.owner === null ? this.people.ownerless() : this.people.of(session.owner);
    if (!owner) return ABSENT('owner');
    const advocate = session.advocate === null ? null : this.people.of(session.advocate);
    if (advocate === undefined) return ABSENT('advocate');
    const agent = session.agentSlug === null ? null : this.agent(session.agentSlug);
    return sessionRow(this.scope, session, { owner, agent, advocate });
  }

  private channel(channel: OldChannel): Field[] | string {
    const server = this.communities.of(channel.server);
    return server === undefined ? ABSENT('server') : channelRow(this.scope, channel, server);
  }

  private direct(direct: OldDirect): Field[] | string {
    const people = [...new Set(direct.members.map((member) => this.people.of(member)))];
    if (!people.every((person) => person !== undefined))
      return 'one of its people is not in the source, or has been deleted here';
    if (people.length < FEWEST_IN_DIRECT || people.length > MOST_IN_DIRECT)
      return `a direct conversation has ${FEWEST_IN_DIRECT} to ${MOST_IN_DIRECT} people`;
    return directRow(this.scope, direct, people);
  }

  private thread(n: number, table: string, thread: OldThread): string | undefined {
    this.stager.add('old_roots', [n, null, ...rootRow(this.scope, thread)]);
    return this.stage('old_rooms', n, table, threadRow(this.scope, thread));
  }

  private message(message: OldMessage): Field[] | string {
    const author = message.author === null ? null : this.people.of(message.author);
    if (author === undefined) return ABSENT('author');
    const mentioned = message.mentions?.map((id) => this.people.of(id)).filter((id) => id !== undefined);
    return messageRow(this.scope, message, this.named(message.content), author, mentioned ?? null);
  }

  /** A text with the names that people have here. */
  private named(content: string): string {
    if (mentionedIn(content).length === 0) return content;
    return withMentions(content, (id) => this.people.nameOf(id) ?? id);
  }

  private reaction(reaction: OldReaction): Field[] | string {
    const person = this.people.of(reaction.user);
    const emoji = canonicalEmoji(reaction.emoji);
    if (!person) return ABSENT('person');
    return emoji === undefined ? 'neither an emoji nor a short name' : reactionRow(reaction, person, emoji);
  }

  private agent(slug: string): string {
    const found = this.agents.get(slug);
    if (found) return found.id;
    const named = namedId(null, this.scope, 'agent', slug);
    const id = this.agentIds.has(named) ? uuidv7() : named;
    this.agents.set(slug, { id, isNew: true });
    return id;
  }
}
