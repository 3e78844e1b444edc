import { SOURCES } from '../../legacy/import/sources.js';
import { GIVEN, HELP } from './legacy-help.js';

describe('the help of the imports', () => {
  it('says of every system what its source is', () => {
    expect(Object.keys(GIVEN).sort()).toEqual(Object.keys(SOURCES).sort());
    for (const source of Object.values(GIVEN)) expect(HELP).toContain(source);
  });
});
