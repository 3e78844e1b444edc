import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { houseVersion } from '../../platform/version.js';
import { finishDocument } from './finish-document.js';

const ABOUT = `Private conversations with agents, supported conversations between people, and community servers: one message
store, one set of message calls, one realtime stream (docs/protocol.md, docs/asyncapi.yaml).

- Bodies are JSON in camelCase; a field that is not known is refused. Ids are UUIDv7, times ISO 8601 in UTC.
- \`Authorization: Bearer <access token>\`; the token comes from \`POST /api/v1/auth/login\` and its like.
- What the caller may not see answers 404, as if it did not exist; what they may see but not do answers 403.
- Lists take \`limit\` and \`cursor\` and answer \`{ items, nextCursor }\`; a \`nextCursor\` of null is the end.
- Failures are problem details (RFC 9457) with a \`code\` that stays.
- A send may carry a \`nonce\`: sent again with the same content, it is the same message, answered with 200.`;

const TAGS: Record<string, string> = {
  auth: 'Signing in, logins, passwords, the second factor, tickets for sockets.',
  users: 'Profiles, keys at providers, export and deletion.',
  conversations: 'Every room of the caller: sessions, channels, directs and threads.',
  messages: 'What is said in them.',
  agents: 'Who answers by itself.',
  sessions: 'Conversations with an agent or an advocate.',
  directs: 'Conversations of a fixed set of people.',
  servers: 'Communities.',
  channels: 'The rooms of a server.',
  members: 'Who is in a server, and as what.',
  invites: 'Ways into a server.',
  administration: 'For administrators; to everybody else it does not exist.',
};

/** The document behind `/openapi.json` and `/docs`. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const about = new DocumentBuilder()
    .setTitle('Parley')
    .setDescription(ABOUT)
    .setVersion(houseVersion())
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that publishes this document.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer');
  const document = SwaggerModule.createDocument(app, about.build(), {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}_${method}`,
  });
  document.tags = tagsOf(document);
  return finishDocument(document);
}

/** Publishes the document, and a page that shows it with nothing fetched from elsewhere. */
export function publishDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Parley API',
  });
}

function tagsOf({ paths }: OpenAPIObject): OpenAPIObject['tags'] {
  const operations = Object.values(paths).flatMap(({ get, put, post, patch, delete: del }) => [
    get,
    put,
    post,
    patch,
    del,
  ]);
  const used = new Set(operations.flatMap((operation) => operation?.tags ?? []));
  return [...used].map((name) => ({ name, description: TAGS[name] ?? name }));
}
