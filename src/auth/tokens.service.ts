import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Config } from '../platform/config/config.js';
import { Problem } from '../platform/http/problem.js';
import type { Actor } from './actor.js';
import { Actors } from './actors.js';

export const TOKEN_AUDIENCE = 'parley';

/** What an access token says (RFC 7519): whose it is, through which login, and that it is one. */
export interface AccessClaims {
  sub: string;
  sid: string;
  typ: 'access';
  exp: number;
}

@Injectable()
export class TokensService {
  constructor(
    private readonly jwt: JwtService,
    private readonly actors: Actors,
    private readonly config: Config,
  ) {}

  /** Gives a signed access token and its life in seconds. */
  issue(userId: string, loginId: string): { accessToken: string; expiresIn: number } {
    const expiresIn = this.config.accessTokenSeconds;
    const accessToken = this.jwt.sign({ sid: loginId, typ: 'access' }, { subject: userId, expiresIn });
    return { accessToken, expiresIn };
  }

  /** Checks signature, algorithm, audience, type, expiry and that the login lives. Throws 401 otherwise. */
  async verify(token: string): Promise<{ actor: Actor; expiresAt: Date }> {
    const claims = this.claimsOf(token);
    const actor = await this.actorOf(claims);
    if (!actor) throw Problem.unauthorized();
    return { actor, expiresAt: new Date(claims.exp * 1000) };
  }

  async actorOf(claims: AccessClaims): Promise<Actor | undefined> {
    if (claims.typ !== 'access' || typeof claims.sid !== 'string') return undefined;
    const actor = await this.actors.find(claims.sid);
    return actor?.userId === claims.sub ? actor : undefined;
  }

  /** Of a token that has been verified already. */
  expiryOf(token: string): Date {
    return new Date(this.claimsOf(token).exp * 1000);
  }

  private claimsOf(token: string): AccessClaims {
    try {
      return this.jwt.verify<AccessClaims>(token);
    } catch {
      throw Problem.unauthorized();
    }
  }
}
