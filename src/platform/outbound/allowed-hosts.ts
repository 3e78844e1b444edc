import ipaddr from 'ipaddr.js';

/** One entry of OUTBOUND_ALLOWED_HOSTS: a name, or a range of addresses; for one port or for all. */
export interface AllowedHost {
  name?: string;
  range?: [ipaddr.IPv4 | ipaddr.IPv6, number];
  port?: number;
}

/** Takes `n8n:5678,10.0.0.5,[fd00::1]:8080,172.16.0.0/12`, gives the entries and those that are none. */
export function readAllowedHosts(text: string): { allowed: AllowedHost[]; wrong: string[] } {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const read = entries.map((entry) => ({ entry, host: readEntry(entry) }));
  return {
    allowed: read.flatMap(({ host }) => host ?? []),
    wrong: read.filter(({ host }) => host === undefined).map(({ entry }) => entry),
  };
}

/** Whether somebody who runs this node has said that this may be called, though it is private. */
export function allowsName(allowed: readonly AllowedHost[], name: string, port: number): boolean {
  return allowed.some((entry) => entry.name === name && fits(entry, port));
}

/** The same for the address that a name has turned out to have. */
export function allowsAddress(allowed: readonly AllowedHost[], address: string, port: number): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return allowed.some(({ range, ...entry }) => {
    if (!range || range[0].kind() !== parsed.kind() || !fits(entry, port)) return false;
    return parsed.match(range);
  });
}

function fits({ port }: AllowedHost, called: number): boolean {
  return port === undefined || port === called;
}

function readEntry(entry: string): AllowedHost | undefined {
  if (ipaddr.isValidCIDR(entry)) return { range: ipaddr.parseCIDR(entry) };
  if (ipaddr.IPv6.isValid(entry)) return { range: wholeOf(entry) };
  const [, host, port] = /^(\[[^\]]+\]|[^:/@?#\s]+)(?::(\d{1,5}))?$/.exec(entry) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535 || !URL.canParse(`http://${host}/`)) return undefined;
  // As URL writes it: what is called is compared in the same form.
  const hostname = withoutBrackets(new URL(`http://${host}/`).hostname);
  const where = ipaddr.isValid(hostname) ? { range: wholeOf(hostname) } : { name: hostname };
  return { ...where, ...(port === undefined ? {} : { port: Number(port) }) };
}

export function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function wholeOf(address: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const parsed = ipaddr.parse(address);
  return [parsed, parsed.kind() === 'ipv4' ? 32 : 128];
}
