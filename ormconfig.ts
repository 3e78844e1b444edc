import 'reflect-metadata';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CreateUsers1790000000001 } from './migrations/1790000000001-CreateUsers.js';
import { CreateAgents1790000000002 } from './migrations/1790000000002-CreateAgents.js';
import { CreateConversations1790000000003 } from './migrations/1790000000003-CreateConversations.js';
import { CreateServers1790000000004 } from './migrations/1790000000004-CreateServers.js';
import { CreateSessions1790000000005 } from './migrations/1790000000005-CreateSessions.js';
import { CreateMessages1790000000006 } from './migrations/1790000000006-CreateMessages.js';
import { WatchLogins1790000000101 } from './migrations/1790000000101-WatchLogins.js';
import { GuardAccounts1790000000102 } from './migrations/1790000000102-GuardAccounts.js';
import { ListAdministrators1790000000103 } from './migrations/1790000000103-ListAdministrators.js';
import { SortUsernamesByBytes1790000000104 } from './migrations/1790000000104-SortUsernamesByBytes.js';
import { ShareNodes1790000000105 } from './migrations/1790000000105-ShareNodes.js';
import { CreateReplies1790000000201 } from './migrations/1790000000201-CreateReplies.js';
import { TeachAgents1790000000211 } from './migrations/1790000000211-TeachAgents.js';
import { QueueSessions1790000000212 } from './migrations/1790000000212-QueueSessions.js';
import { CountTokens1790000000213 } from './migrations/1790000000213-CountTokens.js';
import { KeepReadTimes1790000000214 } from './migrations/1790000000214-KeepReadTimes.js';
import { GuardServers1790000000301 } from './migrations/1790000000301-GuardServers.js';
import { CreateDirects1790000000302 } from './migrations/1790000000302-CreateDirects.js';
import { ReactToMessages1790000000321 } from './migrations/1790000000321-ReactToMessages.js';
import { PinMessages1790000000322 } from './migrations/1790000000322-PinMessages.js';
import { OpenThreads1790000000323 } from './migrations/1790000000323-OpenThreads.js';
import { MentionPeople1790000000324 } from './migrations/1790000000324-MentionPeople.js';
import { SearchMessages1790000000341 } from './migrations/1790000000341-SearchMessages.js';
import { AttachFiles1790000000342 } from './migrations/1790000000342-AttachFiles.js';
import { KeepPresenceChoices1790000000361 } from './migrations/1790000000361-KeepPresenceChoices.js';
import { SetNotifications1790000000362 } from './migrations/1790000000362-SetNotifications.js';
import { CreateImports1790000000401 } from './migrations/1790000000401-CreateImports.js';
import { FindByExternalId1790000000411 } from './migrations/1790000000411-FindByExternalId.js';
import { AskForReplies1790000000501 } from './migrations/1790000000501-AskForReplies.js';
import { StoreMentions1790000000502 } from './migrations/1790000000502-StoreMentions.js';
import { ListActivity1790000000601 } from './migrations/1790000000601-ListActivity.js';
import { RememberPurges1790000000602 } from './migrations/1790000000602-RememberPurges.js';
import { PlanAppendForGrowth1790000000603 } from './migrations/1790000000603-PlanAppendForGrowth.js';
import { TellFromCommands1790000000700 } from './migrations/1790000000700-TellFromCommands.js';
import { ListThreads1790000000720 } from './migrations/1790000000720-ListThreads.js';
import { SweepSearchBeside1790000000760 } from './migrations/1790000000760-SweepSearchBeside.js';
import { FindEndedReplies1790000000780 } from './migrations/1790000000780-FindEndedReplies.js';
import { FindByAge1790000000790 } from './migrations/1790000000790-FindByAge.js';
import { FindFiles1790000000791 } from './migrations/1790000000791-FindFiles.js';
import { ImportMoreKinds1790000000800 } from './migrations/1790000000800-ImportMoreKinds.js';
import { NoteStandings1790000000810 } from './migrations/1790000000810-NoteStandings.js';
import { AppendByKeys1790000000811 } from './migrations/1790000000811-AppendByKeys.js';
import { AppendPlainly1790000000820 } from './migrations/1790000000820-AppendPlainly.js';
import { SplitMessageWords1790000000821 } from './migrations/1790000000821-SplitMessageWords.js';
import { WaitBriefly1790000000830 } from './migrations/1790000000830-WaitBriefly.js';
import { JudgeAfterWaiting1790000000840 } from './migrations/1790000000840-JudgeAfterWaiting.js';
import { AskByTheClock1790000000850 } from './migrations/1790000000850-AskByTheClock.js';
import { AuditEntry } from './src/access/audit/audit-entry.entity.js';
import { Agent } from './src/agents/agent.entity.js';
import { TokenUsage } from './src/agents/usage/token-usage.entity.js';
import { AccountEvent } from './src/auth/audit/account-event.entity.js';
import { Login } from './src/auth/login.entity.js';
import { AccountNotice } from './src/auth/logins/account-notice.entity.js';
import { PasswordReset } from './src/auth/passwords/password-reset.entity.js';
import { RecoveryCode } from './src/auth/second-factor/recovery-code.entity.js';
import { SecondFactor } from './src/auth/second-factor/second-factor.entity.js';
import { Ticket } from './src/auth/tickets/ticket.entity.js';
import { Conversation } from './src/conversations/conversation.entity.js';
import { ReadMarker } from './src/conversations/read-marker.entity.js';
import { ReadTime } from './src/conversations/read-time.entity.js';
import { DirectParticipant } from './src/directs/direct-participant.entity.js';
import { Direct } from './src/directs/direct.entity.js';
import { Import } from './src/legacy/import/import.entity.js';
import { ImportedId } from './src/legacy/import/imported-id.entity.js';
import { Attachment } from './src/messages/attachments/attachment.entity.js';
import { StrayFile } from './src/messages/attachments/stray-file.entity.js';
import { Mention } from './src/messages/mentions/mention.entity.js';
import { Message } from './src/messages/message.entity.js';
import { Reaction } from './src/messages/reactions/reaction.entity.js';
import { MessageRevision } from './src/messages/revisions/message-revision.entity.js';
import { ThreadParticipant } from './src/messages/threads/thread-participant.entity.js';
import { Thread } from './src/messages/threads/thread.entity.js';
import { ConversationNotifications } from './src/notifications/conversation-notifications.entity.js';
import { ServerNotifications } from './src/notifications/server-notifications.entity.js';
import { ASK_EARLY, giveUpEarly } from './src/platform/database/dead-peers.js';
import { SnakeNaming } from './src/platform/database/snake-naming.js';
import { RateLimit } from './src/platform/limits/rate-limit.entity.js';
import { RunningNode } from './src/platform/nodes/node.entity.js';
import { Ban } from './src/servers/bans/ban.entity.js';
import { Category } from './src/servers/channels/category.entity.js';
import { Channel } from './src/servers/channels/channel.entity.js';
import { Invite } from './src/servers/invites/invite.entity.js';
import { Membership } from './src/servers/memberships/membership.entity.js';
import { Server } from './src/servers/servers/server.entity.js';
import { Reply } from './src/sessions/replies/reply.entity.js';
import { Session } from './src/sessions/session.entity.js';
import { Credential } from './src/users/credentials/credential.entity.js';
import { PresenceChoice } from './src/users/presence/presence-choice.entity.js';
import { User } from './src/users/user.entity.js';

/**
 * The one definition of the database: the app, the commands and the tests share it. The schema comes from the
 * migrations alone; a new entity or migration is listed here.
 */
export function dataSourceOptions(url: string, poolSize = 20): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    applicationName: 'parley',
    synchronize: false,
    parseInt8: true,
    namingStrategy: new SnakeNaming(),
    migrationsTransactionMode: 'each',
    // A new connection plans all its statements again: what one burst needed is kept for the next.
    extra: { connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000, ...ASK_EARLY, onConnect: giveUpEarly },
    entities: [
      AccountEvent,
      AccountNotice,
      Agent,
      Attachment,
      AuditEntry,
      Ban,
      Category,
      Channel,
      Conversation,
      ConversationNotifications,
      Credential,
      Direct,
      DirectParticipant,
      Import,
      ImportedId,
      Invite,
      Login,
      Membership,
      Mention,
      Message,
      MessageRevision,
      PasswordReset,
      PresenceChoice,
      RateLimit,
      Reaction,
      ReadMarker,
      ReadTime,
      RecoveryCode,
      Reply,
      RunningNode,
      SecondFactor,
      Server,
      ServerNotifications,
      Session,
      StrayFile,
      Thread,
      ThreadParticipant,
      Ticket,
      TokenUsage,
      User,
    ],
    migrations: [
      CreateUsers1790000000001,
      CreateAgents1790000000002,
      CreateConversations1790000000003,
      CreateServers1790000000004,
      CreateSessions1790000000005,
      CreateMessages1790000000006,
      WatchLogins1790000000101,
      GuardAccounts1790000000102,
      ListAdministrators1790000000103,
      SortUsernamesByBytes1790000000104,
      ShareNodes1790000000105,
      CreateReplies1790000000201,
      TeachAgents1790000000211,
      QueueSessions1790000000212,
      CountTokens1790000000213,
      KeepReadTimes1790000000214,
      GuardServers1790000000301,
      CreateDirects1790000000302,
      ReactToMessages1790000000321,
      PinMessages1790000000322,
      OpenThreads1790000000323,
      MentionPeople1790000000324,
      SearchMessages1790000000341,
      AttachFiles1790000000342,
      KeepPresenceChoices1790000000361,
      SetNotifications1790000000362,
      CreateImports1790000000401,
      FindByExternalId1790000000411,
      AskForReplies1790000000501,
      StoreMentions1790000000502,
      ListActivity1790000000601,
      RememberPurges1790000000602,
      PlanAppendForGrowth1790000000603,
      TellFromCommands1790000000700,
      ListThreads1790000000720,
      SweepSearchBeside1790000000760,
      FindEndedReplies1790000000780,
      FindByAge1790000000790,
      FindFiles1790000000791,
      ImportMoreKinds1790000000800,
      NoteStandings1790000000810,
      AppendByKeys1790000000811,
      AppendPlainly1790000000820,
      SplitMessageWords1790000000821,
      WaitBriefly1790000000830,
      JudgeAfterWaiting1790000000840,
      AskByTheClock1790000000850,
    ],
  };
}

/** For TypeORM's own command line: `npx typeorm -d dist/ormconfig.js ...` with DATABASE_URL set. */
export default new DataSource(dataSourceOptions(process.env.DATABASE_URL ?? 'postgres://localhost/parley'));
