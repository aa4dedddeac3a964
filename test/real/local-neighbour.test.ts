import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickThrough } from '../support/click-through.ts';
import { newHome, startMailauth } from './rigs/chromium.ts';

/** Another user of the computer, who has read the address of the sign-in in the list of processes. */
const neighbour = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath, '--input-type=module', '-e'];
const mailbox = 'helpdesk@contoso.example';

let home: Awaited<ReturnType<typeof newHome>>;
beforeAll(async () => {
  home = await newHome();
  const setup = startMailauth(['setup', '--sandbox', '--yes', '--no-test'], home.env);
  expect(await setup.ended, setup.stderr()).toBe(0);
});
afterAll(() => home?.remove());

const asAccount = (address: string, account: string): string => {
  const url = new URL(address);
  url.searchParams.set('login_hint', account);
  return url.href;
};

it('neither a code of their own, nor a made-up one, nor an error ends the sign-in', async () => {
  const login = startMailauth(['login', mailbox, '--sandbox', '--force', '--json'], { ...home.env, BROWSER: 'true' });
  const { url } = await login.line('authorization_required');
  const address = String(url);
  const asked = new URL(address).searchParams;
  const back = `${asked.get('redirect_uri')}/?state=${asked.get('state')}`;
  const script = `${clickThrough.toString()}
    const said = [];
    for (const to of [await clickThrough(${JSON.stringify(asAccount(address, 'ada@contoso.example'))}), ${JSON.stringify(`${back}&code=${'x'.repeat(40)}`)}, ${JSON.stringify(`${back}&error=access_denied`)}])
      said.push((await fetch(to)).status);
    console.log(JSON.stringify(said));`;
  const { stdout } = await promisify(execFile)('setpriv', [...neighbour, script], { cwd: '/' });
  expect(JSON.parse(stdout)).toEqual([400, 400, 400]);
  expect((await fetch(await clickThrough(asAccount(address, mailbox)))).status).toBe(200);
  expect(await login.ended, login.stdout()).toBe(0);
  expect(login.stdout()).toContain('Another user of this computer');
});
