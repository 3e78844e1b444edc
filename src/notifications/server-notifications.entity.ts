import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Membership } from '../servers/memberships/membership.entity.js';
import type { Level } from './conversation-notifications.entity.js';

/** What a member wants to be notified of in a server; gone with the membership. */
@Entity('server_notifications')
@Check('server_notifications_level', `level IN ('all', 'mentions', 'none')`)
@ForeignKey(() => Membership, ['serverId', 'userId'], ['serverId', 'userId'], {
  name: 'server_notifications_membership_fk',
  onDelete: 'CASCADE',
})
export class ServerNotifications {
  @PrimaryColumn('uuid') serverId: string;
  @PrimaryColumn('uuid') userId: string;
  @Column('text') level: Level;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) mutedUntil: Date | null;
}
