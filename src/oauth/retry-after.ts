/** Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most a day; the date form is not used by Entra and ignored. */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || !/^\d{1,9}(?:\.\d+)?$/.test(value)) return undefined;
  return Math.min(Math.ceil(Number(value)), 86_400);
}
