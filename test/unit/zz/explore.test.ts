import { test } from 'vitest';
import { machine } from '../../support/command-line.ts';
const show = async (m, words, more?) => { const t=Date.now(); const r = await m.mailauth(words, more); console.log(`$ ${words}  → ${r.exit}  ${Date.now()-t}ms\n--out\n${r.out}--err\n${r.err}`); return r; };
test('x', async () => {
  const m = await machine();
  await show(m, 'setup --sandbox --yes');
  await show(m, 'setup --sandbox --yes --json');
  await show(m, 'status --sandbox');
  await show(m, 'token show --sandbox --json');
  for (const f of ['consent-denied','admin-consent-required','client-unknown','code-expired','secret-expired','refresh-revoked','refresh-expired','token-unavailable','throttled','wrong-scope','imap-auth-failed','imap-not-connected']) {
    await show(m, `setup --sandbox --yes --timeout 3 --mailbox ${f}@contoso.example --fault ${f} --json`);
  }
  for (const f of ['refresh-revoked','refresh-expired','token-unavailable','throttled']) await show(m, `token get --sandbox helpdesk@contoso.example --force-refresh --fault ${f} --json`);
  for (const f of ['imap-auth-failed','imap-not-connected']) await show(m, `test imap --sandbox helpdesk@contoso.example --fault ${f} --json`);
  await show(m, 'setup --sandbox --yes --mailbox c@contoso.example --client-type confidential');
  await show(m, 'setup --sandbox --yes --mailbox c2@contoso.example --client-type confidential --fault secret-expired');
  await m.end();
}, 120000);
