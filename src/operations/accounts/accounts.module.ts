import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { AccountAdministration } from './account-administration.service.js';
import { AccountDeletion } from './account-deletion.service.js';
import { AccountExport } from './account-export.service.js';
import { AdminUsersController } from './admin-users.controller.js';
import { MyAccountController } from './my-account.controller.js';

@Module({
  imports: [AuthModule],
  controllers: [AdminUsersController, MyAccountController],
  providers: [AccountAdministration, AccountDeletion, AccountExport],
})
export class AccountsModule {}
