import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiUnauthorizedResponse } from '@nestjs/swagger';

export const STATED_ACCESS = 'parley:access';
export type StatedAccess = 'public' | 'signed-in' | 'administrator';

/** Anyone may call this, signed in or not. */
export const Public = () => SetMetadata(STATED_ACCESS, 'public' satisfies StatedAccess);

/** Anyone signed in may call this; what they may see of it is decided behind the door (access/). */
export const SignedIn = () => restricted('signed-in');

/** Administrators only. To everyone else it does not exist. */
export const Administrator = () => restricted('administrator');

export const WITHOUT_SECOND_FACTOR = 'parley:without-second-factor';

/** Also for somebody of whom a second factor is demanded and who has none yet. */
export const WithoutSecondFactor = () => SetMetadata(WITHOUT_SECOND_FACTOR, true);

function restricted(access: StatedAccess) {
  return applyDecorators(
    SetMetadata(STATED_ACCESS, access),
    ApiBearerAuth('bearer'),
    ApiUnauthorizedResponse({ description: 'No access token, or one that is bad, expired or revoked.' }),
  );
}
