const format = new Intl.DateTimeFormat('en-US', { hour: 'numeric', minute: '2-digit', hour12: true, timeZone: 'UTC' });

/** "12:30 PM", in UTC, of an ISO time. */
export function clockTime(iso: string): string {
  return format.format(new Date(iso)).replace('\u202f', ' ');
}
