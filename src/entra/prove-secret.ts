import { MailauthError } from '../core/errors.ts';
import type { OAuthApp } from '../oauth/oauth-app.ts';
import { type ClientVerdict, checkClient } from './client-check.ts';

const waitsMs = [2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000, 15_000];

/**
 * A new app or secret is not known in every data centre at once (shared facts on Microsoft, section 4.4): "unknown app" and "wrong secret" are
 * asked again for 90 s, visibly. `patient: false` asks once. Throws what `checkClient` throws.
 */
export async function proveSecret(
  app: OAuthApp & { readonly mailbox?: string },
  onWait: (text: string) => void,
  patient = true,
): Promise<ClientVerdict> {
  for (const waitMs of [...(patient ? waitsMs : []), undefined]) {
    try {
      return await checkClient(app);
    } catch (error) {
      const lag = error instanceof MailauthError && (error.code === 'client-unknown' || error.code === 'client-secret-wrong');
      if (waitMs === undefined || !lag) throw error;
      onWait(`Microsoft is still publishing it in its data centres; waiting ${waitMs / 1000} s`);
      await app.clock.sleep(waitMs, app.signal);
    }
  }
  return { kind: 'unclear' };
}
