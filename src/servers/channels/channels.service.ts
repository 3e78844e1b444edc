import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { audit, type AuditAction } from '../../access/audit/audit.js';
import { StandingChanged } from '../../access/access.events.js';
import type { Moderator } from '../../access/pass.js';
import type { Actor } from '../../auth/actor.js';
import { newState } from '../../conversations/conversation-state.js';
import {
  ConversationCreated,
  ConversationDeleted,
  ConversationUpdated,
} from '../../conversations/conversations.events.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { deleteConversations } from '../../conversations/delete-conversations.js';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { unlessBroken } from '../../platform/http/database-problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../../platform/http/paging.js';
import { Problem } from '../../platform/http/problem.js';
import { comparable } from '../../users/names.js';
import { ChannelUpdated } from './channels.events.js';
import { makeRoomAt } from './positions.js';
import { judgeInside } from '../memberships/server-rights.js';
import { Channel } from './channel.entity.js';
import { type ChannelView, presentChannel } from './channel.presenter.js';
import type { ChannelBody, ChannelPatch } from './channels.dto.js';

@Injectable()
export class ChannelsService {
  constructor(
    @InjectRepository(Channel) private readonly channels: Repository<Channel>,
    private readonly work: UnitOfWork,
    private readonly conversations: ConversationsService,
  ) {}

  /** All in `position` order; for those who have gone through the door of the server. */
  async of(serverId: string): Promise<ChannelView[]> {
    const channels = await this.channels.find({ where: { serverId }, order: { position: 'ASC', id: 'ASC' } });
    return channels.map(presentChannel);
  }

  async page(serverId: string, { limit, cursor }: PageQuery): Promise<Page<ChannelView>> {
    const [position, id] = readCursor(cursor, ['number', 'id']) ?? [];
    const after = this.channels.createQueryBuilder('channel').where({ serverId });
    if (id) after.andWhere('(channel.position, channel.id) > (:position::bigint, :id)', { position, id });
    const inOrder = after.orderBy({ 'channel.position': 'ASC', 'channel.id': 'ASC' });
    return pageOf(await inOrder.limit(limit + 1).getMany(), limit, (last) => [last.position, last.id], presentChannel);
  }

  /** Throws 409 `name_taken`, 400 for a category of another server. */
  async create(actor: Actor, serverId: string, body: ChannelBody): Promise<ChannelView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      const channel = await this.insert(tx, serverId, body);
      await note(tx, actor, 'channel.created', channel);
      return channel;
    });
  }

  /** Makes a channel inside a transaction that has judged that it may be made. */
  async insert(
    tx: Tx,
    serverId: string,
    { name, type, categoryId, position, topic }: ChannelBody,
  ): Promise<ChannelView> {
    if (categoryId) await mustBeOf(tx, serverId, categoryId);
    const id = uuidv7();
    await this.conversations.create(tx, id, 'channel', type === 'VOICE');
    const moved = position === undefined ? [] : await makeRoomAt(tx, 'channels', serverId, position, id);
    await naming(
      tx.query(
        `INSERT INTO channels (id, server_id, category_id, name, name_key, type, position, topic)
         SELECT $1, $2, $3, $4, $5, $6, coalesce($7, max(position) + 1, 0), $8 FROM channels WHERE server_id = $2`,
        [id, serverId, categoryId ?? null, name, comparable(name), type, position ?? null, topic || null],
      ),
    );
    const conversation = newState({ id, kind: 'channel', title: name, serverId });
    tx.announce(ConversationCreated([`server:${serverId}`], { conversation }));
    return announce(tx, serverId, id, moved);
  }

  /** What is left out stays as it is. Throws 409 `name_taken`, 400 for a category of another server. */
  async change({ room, actor }: Moderator, patch: ChannelPatch): Promise<ChannelView> {
    const serverId = room.serverId as string;
    const { name, position, topic, categoryId } = patch;
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      if (categoryId) await mustBeOf(tx, serverId, categoryId);
      const moved = position === undefined ? [] : await makeRoomAt(tx, 'channels', serverId, position, room.id);
      const changes = {
        ...(name === undefined ? {} : { name, nameKey: comparable(name) }),
        ...(position === undefined ? {} : { position }),
        ...(topic === undefined ? {} : { topic: topic || null }),
        ...(categoryId === undefined ? {} : { categoryId }),
      };
      if (Object.keys(changes).length > 0) await naming(tx.manager.update(Channel, { id: room.id }, changes));
      if (name !== undefined) {
        tx.announce(ConversationUpdated([`server:${serverId}`], { conversation: { id: room.id, title: name } }));
      }
      const channel = await announce(tx, serverId, room.id, moved);
      await note(tx, actor, 'channel.updated', channel);
      return channel;
    });
  }

  async delete({ room, actor }: Moderator): Promise<void> {
    const serverId = room.serverId as string;
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      const channel = await tx.manager.findOneBy(Channel, { id: room.id });
      if (!channel) throw Problem.notFound('This channel');
      await deleteConversations(tx, [room.id]);
      await note(tx, actor, 'channel.deleted', presentChannel(channel));
      tx.announce(StandingChanged([], { scope: `conversation:${room.id}` }));
      tx.announce(ConversationDeleted([`server:${serverId}`], { conversationId: room.id }));
    });
  }
}

/** Tells of this channel and of those that made room for it, the last one first, so that no place is taken twice. */
async function announce(tx: Tx, serverId: string, id: string, moved: string[]): Promise<ChannelView> {
  const rows = await tx.manager.find(Channel, { where: { id: In([id, ...moved]) }, order: { position: 'DESC' } });
  const channels = rows.map(presentChannel);
  const channel = channels.find((row) => row.id === id);
  if (!channel) throw Problem.notFound('This channel');
  for (const row of channels) tx.announce(ChannelUpdated([`server:${serverId}`], { channel: row }));
  return channel;
}

async function note(tx: Tx, { userId }: Actor, action: AuditAction, channel: ChannelView): Promise<void> {
  const { id, serverId, createdAt: _createdAt, ...details } = channel;
  await audit(tx, { serverId, actorId: userId, action, targetId: id, details });
}

async function mustBeOf(tx: Tx, serverId: string, categoryId: string): Promise<void> {
  const category = await tx.one(`SELECT 1 FROM categories WHERE id = $1 AND server_id = $2`, [categoryId, serverId]);
  if (!category) throw Problem.invalid('categoryId', 'names no category of this server');
}

function naming<T>(writing: Promise<T>): Promise<T> {
  return unlessBroken(writing, {
    channels_name_key: () => Problem.conflict('name_taken', 'This server has a channel of that name.'),
  });
}
