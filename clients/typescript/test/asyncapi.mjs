import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse } from 'yaml';

const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
const document = parse(readFileSync(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false });
formats.default(ajv);
ajv.addSchema({ $id: 'asyncapi', ...document });

/** What is wrong with the document by the specification itself. */
export function documentErrors() {
  const isValid = ajv.compile(schema);
  return isValid(document) ? [] : isValid.errors;
}

/** What is wrong with a frame that was sent or heard. */
export function frameErrors(direction, frame) {
  const key = `${direction}.${frame.type}`;
  if (!(key in document.components.messages)) return [`${key} is not described`];
  const isValid = ajv.getSchema(`asyncapi#/components/messages/${key}/payload`);
  return isValid(frame) ? [] : isValid.errors.map(({ instancePath, message }) => `${key}${instancePath} ${message}`);
}

/** The same kind of socket, whose frames are all held against the document; what does not fit is put into `faults`. */
export function watched(WebSocket, faults) {
  return class extends WebSocket {
    constructor(url) {
      super(url);
      this.addEventListener('message', ({ data }) => faults.push(...frameErrors('hear', JSON.parse(data))));
    }
    send(data) {
      faults.push(...frameErrors('send', JSON.parse(data)));
      super.send(data);
    }
  };
}
