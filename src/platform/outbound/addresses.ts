import ipaddr from 'ipaddr.js';

/** Azure gives each machine its secrets there (its WireServer), though the address is a public one. */
const AZURE = '168.63.129.16';
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * True for an address of the open internet. Everything else is closed without being named: private, loopback,
 * link-local, shared (RFC 6598), multicast and reserved ranges (RFC 6890), and every IPv6 form that stands for an
 * IPv4 address (mapped, compatible, NAT64, 6to4, Teredo), since who translates it is not known here.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || parsed.toString() === AZURE) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}
