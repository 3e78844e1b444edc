import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { User } from '../user.entity.js';

export const CHOICES = ['online', 'away', 'dnd', 'invisible'] as const;
export type Choice = (typeof CHOICES)[number];

/** How somebody wants to be seen while they are here; no row means online. */
@Entity('presence_choices')
@Check('presence_choices_choice', `choice IN ('online', 'away', 'dnd', 'invisible')`)
export class PresenceChoice {
  @PrimaryColumn('uuid')
  @ForeignKey(() => User, { name: 'presence_choices_user_fk', onDelete: 'CASCADE' })
  userId: string;
  @Column('text') choice: Choice;
  @Column({ type: 'timestamptz', precision: 3 }) chosenAt: Date;
}
