import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
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
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work.js';
import { breaks } from '../../platform/http/database-problem.js';
import { Problem } from '../../platform/http/problem.js';
import { comparable } from '../../users/names.js';
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

  /** In `position` order; for those who have gone through the door of the server. */
  async of(serverId: string): Promise<ChannelView[]> {
    const channels = await this.channels.find({ where: { serverId }, order: { position: 'ASC', id: 'ASC' } });
    return channels.map(presentChannel);
  }

  /** Throws 409 `name_taken`, 400 for a category of another server. */
  async create(actor: Actor, serverId: string, body: ChannelBody): Promise<ChannelView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      return this.insert(tx, serverId, body);
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
    await naming(() =>
      tx.query(
        `INSERT INTO channels (id, server_id, category_id, name, name_key, type, position, topic)
         SELECT $1, $2, $3, $4, $5, $6, coalesce($7, max(position) + 1, 0), $8 FROM channels WHERE server_id = $2`,
        [id, serverId, categoryId ?? null, name, comparable(name), type, position ?? null, topic ?? null],
      ),
    );
    const conversation = newState({ id, kind: 'channel', title: name, serverId });
    tx.announce(ConversationCreated([`server:${serverId}`], { conversation }));
    return presentChannel(await tx.manager.findOneByOrFail(Channel, { id }));
  }

  async change({ room, actor }: Moderator, { name, position, topic }: ChannelPatch): Promise<ChannelView> {
    return this.work.run(async (tx) => {
      await judgeInside(tx, room.serverId as string, actor.userId, 'change-channels');
      await naming(() =>
        tx.query(
          `UPDATE channels SET name = coalesce($2, name), name_key = coalesce($3, name_key),
             position = coalesce($4, position), topic = coalesce($5, topic) WHERE id = $1`,
          [room.id, name ?? null, name === undefined ? null : comparable(name), position ?? null, topic ?? null],
        ),
      );
      const channel = await tx.manager.findOneBy(Channel, { id: room.id });
      if (!channel) throw Problem.notFound('This channel');
      const conversation = { id: channel.id, title: channel.name };
      tx.announce(ConversationUpdated([`server:${channel.serverId}`], { conversation }));
      return presentChannel(channel);
    });
  }

  async delete({ room, actor }: Moderator): Promise<void> {
    const serverId = room.serverId as string;
    await this.work.run(async (tx) => {
      await judgeInside(tx, serverId, actor.userId, 'change-channels');
      await tx.query(`DELETE FROM conversations WHERE id = $1`, [room.id]);
      tx.announce(StandingChanged([], { scope: `conversation:${room.id}` }));
      tx.announce(ConversationDeleted([`server:${serverId}`], { conversationId: room.id }));
    });
  }
}

async function mustBeOf(tx: Tx, serverId: string, categoryId: string): Promise<void> {
  const category = await tx.one(`SELECT 1 FROM categories WHERE id = $1 AND server_id = $2`, [categoryId, serverId]);
  if (!category) throw Problem.invalid('categoryId', 'names no category of this server');
}

async function naming<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!breaks(error, 'channels_name_key')) throw error;
    throw Problem.conflict('name_taken', 'This server has a channel of that name.');
  }
}
