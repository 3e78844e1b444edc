import type { OpenAPIObject } from '@nestjs/swagger';

// The package exports the type of the whole document alone: the parts are taken out of it.
export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
export type Parameter = Exclude<NonNullable<Operation['parameters']>[number], Reference>;
export type Response = Exclude<NonNullable<Operation['responses'][string]>, Reference>;
export type Content = NonNullable<Response['content']>;
export type Schema = Exclude<NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string], Reference>;
export interface Reference {
  $ref: string;
}
