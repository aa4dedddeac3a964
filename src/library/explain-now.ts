import { type CloudName, defaultCloud, isCloudName, namedCloud } from '../core/cloud.ts';
import { shellOf } from '../core/shell/shell-in-use.ts';
import { explainAtOnce } from '../explain/explain-text.ts';
import { explanationJson } from '../explain/explanation-json.ts';
import type { Explanation, OfProduct } from './mailauth.ts';

/** A program of its own beside the library, because its answer cannot wait for a module to be loaded (build.mjs). */
export function explainNow(text: string, { for: product, sandbox }: OfProduct & { readonly sandbox: boolean }): Explanation {
  const { env, platform } = process;
  const named = (env.MAILAUTH_CLOUD ?? '').toLowerCase();
  const cloud: CloudName = isCloudName(named) ? named : defaultCloud;
  const here = { shell: shellOf({ platform, env }), onWindows: platform === 'win32', sandbox, for: product };
  return explanationJson(explainAtOnce(String(text), { cloud: namedCloud(cloud) }, { fillIn: false }), here);
}
