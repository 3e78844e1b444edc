import { withDescriptor } from './descriptors.js';

const failing = (code: string, times: number) => {
  let tries = 0;
  return () => {
    tries += 1;
    return tries > times ? Promise.resolve(tries) : Promise.reject(Object.assign(new Error(code), { code }));
  };
};

describe('what takes a connection', () => {
  it('waits where there is no file descriptor for one', async () => {
    await expect(withDescriptor(failing('EMFILE', 2))).resolves.toBe(3);
  });

  it('is not done again where it failed in another way', async () => {
    await expect(withDescriptor(failing('ECONNREFUSED', 1))).rejects.toThrow('ECONNREFUSED');
  });
});
