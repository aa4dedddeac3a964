import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import type { Authority } from '../core/sign-in-authority.ts';
import { authoritySchema, parseJsonFile, refuseNewerFormat } from './schemas.ts';

/** A client secret, or certificate and key, with what it belongs to; `authority` is left out in an entry of the first edition. */
export interface HeldSecret {
  readonly secret: Secret;
  readonly authority?: Authority;
}

const schema = z.object({ version: z.literal(2), secret: z.string().check(z.minLength(1)), authority: authoritySchema });

export const encodeClientSecret = (secret: Secret, authority: Authority): Secret =>
  new Secret(JSON.stringify({ version: 2, secret: secret.reveal(), authority }));

/** The first edition stored the secret as Microsoft showed it: it is no JSON, and a certificate is not either. Throws `written-by-newer`. */
export function decodeClientSecret(stored: Secret): HeldSecret {
  const read = parseJsonFile<z.infer<typeof schema>>(stored.reveal(), schema, 2);
  // Its JSON would be sent to Microsoft as the secret.
  refuseNewerFormat(read, 'the stored client secret');
  if (read.kind !== 'ok') return { secret: stored };
  return { secret: new Secret(read.value.secret), ...defined({ authority: read.value.authority }) };
}
