import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { Config } from '../platform/config/config.js';
import type { Actor } from './actor.js';
import { signingKey } from './signing-key.js';
import { type AccessClaims, TOKEN_AUDIENCE, TokensService } from './tokens.service.js';

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    config: Config,
    private readonly tokens: TokensService,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // passport-jwt hands it to jsonwebtoken, which takes more than the types of the one say.
      secretOrKey: signingKey(config) as unknown as Buffer,
      algorithms: [config.algorithm],
      audience: TOKEN_AUDIENCE,
    });
  }

  async validate(claims: AccessClaims): Promise<Actor | false> {
    return (await this.tokens.actorOf(claims)) ?? false;
  }
}
