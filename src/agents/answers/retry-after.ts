const SECONDS = /^\d{1,9}(\.\d{1,9})?$/;
/** The only form that a sender may write (RFC 9110, 5.6.7): what else Date.parse takes for a time is none here. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** By their names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long it wants to be left alone, in milliseconds: what `Retry-After` says in seconds or as a date (RFC 9110, 10.2.3),
 * or more exactly the `retry-after-ms` of OpenAI's kind. Nothing where neither is there, can be read, or is still to come.
 */
export function retryAfter(headers: AnswerHeaders, now = Date.now()): number {
  const exact = String(headers['retry-after-ms']).trim();
  if (SECONDS.test(exact)) return Math.ceil(Number(exact));
  const text = String(headers['retry-after']).trim();
  if (SECONDS.test(text)) return Math.ceil(Number(text) * 1000);
  return HTTP_DATE.test(text) ? Math.max(0, Date.parse(text) - now) || 0 : 0;
}
