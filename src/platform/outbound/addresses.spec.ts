import { isPublicAddress } from './addresses.js';
import { allowsAddress, allowsName, readAllowedHosts } from './allowed-hosts.js';

describe('an address that may be called', () => {
  it.each([
    '93.184.216.34',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81c::200e',
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(true));
});

describe('an address that may not be called', () => {
  it.each([
    ['this host', '0.0.0.0', '0.1.2.3', '::'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ['public by its number, but inside of every machine at Azure', '168.63.129.16', '::ffff:168.63.129.16'],
    ['link-local, where clouds keep their metadata', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    ['shared by a carrier', '100.64.0.1', '100.127.255.255'],
    ['unique-local', 'fc00::1', 'fd00:ec2::254'],
    ['site-local', 'fec0::1'],
    ['multicast and broadcast', '224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
    ['reserved', '240.0.0.1', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '192.88.99.1'],
    ['reserved, in IPv6', '2001:db8::1', '100::1', '4000::1', '5f00::1', '3fff::1'],
    ['IPv4 mapped into IPv6', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '0:0:0:0:0:ffff:7f00:0001'],
    ['IPv4 compatible', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
    ['IPv4 translated', '::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::127.0.0.1', '64:ff9b:1::7f00:1'],
    ['6to4', '2002:7f00:1::', '2002:808:808::1'],
    ['Teredo', '2001:0:7f00:1::1'],
    ['none at all', '', 'localhost', '300.1.1.1', ':::'],
  ])('is %s', (_, ...addresses) => expect(addresses.filter(isPublicAddress)).toEqual([]));
});

describe('OUTBOUND_ALLOWED_HOSTS', () => {
  const { allowed, wrong } = readAllowedHosts(
    ' n8n:5678, Models.Internal,10.0.0.5,[fd00::1]:8080, 172.16.0.0/12,fd01::/16,0x7f.1',
  );

  it('names hosts, addresses and ranges, for one port or for all', () => {
    expect(wrong).toEqual([]);
    expect(allowsName(allowed, 'n8n', 5678)).toBe(true);
    expect(allowsName(allowed, 'models.internal', 1)).toBe(true);
    expect(allowsAddress(allowed, '10.0.0.5', 80)).toBe(true);
    expect(allowsAddress(allowed, 'fd00::1', 8080)).toBe(true);
    expect(allowsAddress(allowed, '172.20.1.1', 80)).toBe(true);
    expect(allowsAddress(allowed, 'fd01::7', 80)).toBe(true);
    expect(allowsAddress(allowed, '127.0.0.1', 80)).toBe(true);
  });

  it('allows nothing beside them', () => {
    expect(allowsName(allowed, 'n8n', 80)).toBe(false);
    expect(allowsName(allowed, 'x.models.internal', 80)).toBe(false);
    expect(allowsName(allowed, '10.0.0.5', 80)).toBe(false);
    expect(allowsAddress(allowed, '10.0.0.6', 80)).toBe(false);
    expect(allowsAddress(allowed, '::ffff:10.0.0.5', 80)).toBe(false);
    expect(allowsAddress(allowed, 'fd00::1', 80)).toBe(false);
  });

  it.each(['http://n8n', 'n8n/path', 'a b', 'user@host', 'n8n:99999', 'n8n:', '10.0.0.0/40', '[fd00::1'])(
    'does not take %s',
    (entry) => expect(readAllowedHosts(entry).wrong).toEqual([entry]),
  );
});
