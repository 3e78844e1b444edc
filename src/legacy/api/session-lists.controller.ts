import { Controller, Get, Query, Req, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request } from 'express';
import { type Actor, Caller } from '../../auth/actor.js';
import { SignedIn } from '../../auth/stated-access.js';
import { Config } from '../../platform/config/config.js';
import { SessionList } from '../../sessions/session-list.js';
import { OldCharacterSession, presentCharacterSession } from './characters.dto.js';
import { asksForPeerChat } from './manners.js';
import { OldIds } from './old-ids.js';
import { OldPeerSessions, OldSessionsQuery, presentPeerSession } from './peer-chat.dto.js';
import { everyPage, jsonArray } from './whole-lists.js';

/** The one route that two dialects share: who names a person or a type is of the peer chat. */
@ApiTags('legacy: characters', 'legacy: peer-chat')
@SignedIn()
@Controller('api/chat/sessions')
export class OldSessionListsController {
  constructor(
    private readonly config: Config,
    private readonly sessions: SessionList,
    private readonly oldIds: OldIds,
  ) {}

  @Get()
  @ApiOperation({
    deprecated: true,
    summary: 'Your sessions with characters; with `userId` or `type` those of the peer chat, latest message first',
  })
  @ApiExtraModels(OldCharacterSession, OldPeerSessions)
  @ApiOkResponse({
    schema: {
      oneOf: [
        { type: 'array', items: { $ref: getSchemaPath(OldCharacterSession) } },
        { $ref: getSchemaPath(OldPeerSessions) },
      ],
    },
  })
  async list(
    @Caller() caller: Actor,
    @Query() query: OldSessionsQuery,
    @Req() request: Request,
  ): Promise<StreamableFile> {
    const spoken = this.config.legacyDialects;
    const peerChat = spoken.has('peer-chat') && (asksForPeerChat(request.query) || !spoken.has('characters'));
    return peerChat ? this.ofPeerChat(caller, query) : this.ofCharacters(caller);
  }

  private ofCharacters(caller: Actor): Promise<StreamableFile> {
    const pages = everyPage((page) => this.sessions.standing(caller, page));
    return jsonArray(pages, presentCharacterSession);
  }

  /** The caller's own; with `peerAdvocateId` those in which the caller helps. */
  private async ofPeerChat(caller: Actor, query: OldSessionsQuery): Promise<StreamableFile> {
    await this.oldIds.mustBeCaller(caller, query.userId, query.peerAdvocateId);
    const type = query.type === 'agent' || query.type === 'peer' ? query.type : undefined;
    const pages = everyPage((page) => this.sessions.of(caller, { ...page, ...(type && { type }) }));
    const wanted = query.peerAdvocateId && !query.userId ? 'advocate' : 'owner';
    return jsonArray(
      pages,
      (session) => (session[wanted]?.id === caller.userId ? presentPeerSession(session) : undefined),
      ['{"ok":true,"sessions":', '}'],
    );
  }
}
