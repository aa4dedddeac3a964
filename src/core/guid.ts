/** A GUID in its usual spelling (RFC 9562 section 4), as a part of a regular expression that ignores case. */
export const guidPattern = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const whole = new RegExp(`^${guidPattern}$`, 'i');

/** Ids of tenants, applications and users are GUIDs. */
export const isGuid = (text: string): boolean => whole.test(text);
