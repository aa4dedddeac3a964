// The software bill of materials of the npm package, as CycloneDX: what npm installs with it, and what the build has put into dist/. Both
// come from npm's own list of this folder. The same source gives the same bytes.
// usage: node release/sbom.mjs > sbom.cdx.json      (after `npm ci` and `npm run build`)
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const npmSbom = (...flags) =>
  JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...flags], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1e8,
    }),
  );

/** `name@version` of each package of which dist/ contains a part: the headings of THIRD-PARTY-NOTICES, which the build makes from esbuild's list. */
function bundled() {
  const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES'), 'utf8');
  return [...notices.matchAll(/^-{80}\n(\S+) (\d\S*) \(.*\)$/gm)].map(([, name, version]) => `${name}@${version}`);
}

/** npm knows each of them as a package for development. For whoever runs mailauth it is a part of the program. */
function asPart(component) {
  const properties = component.properties.filter(({ name }) => name !== 'cdx:npm:package:development');
  return { ...component, scope: 'required', properties: [...properties, { name: 'cdx:npm:package:bundled', value: 'true' }] };
}

const { name, version } = json('package.json');
const everything = npmSbom();
const installed = npmSbom('--omit=dev');
const isInstalled = new Set(installed.components.map((one) => one['bom-ref']));
const parts = bundled().map((ref) => {
  const component = everything.components.find((one) => one['bom-ref'] === ref);
  if (component === undefined) throw new Error(`${ref} is in dist/ and not in npm's list: run npm ci && npm run build`);
  return isInstalled.has(ref) ? component : asPart(component);
});
const components = [...installed.components, ...parts.filter((one) => !isInstalled.has(one['bom-ref']))];
components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
const known = new Set(components.map((one) => one['bom-ref']));

const self = `${name}@${version}`;
const dependencies = [
  {
    ref: self,
    dependsOn: [...new Set([...Object.keys(json('package.json').dependencies).map(refOf), ...parts.map((one) => one['bom-ref'])])].sort(),
  },
  ...everything.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => known.has(one)) }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
];

function refOf(dependency) {
  const { version: pinned } = json('package-lock.json').packages[`node_modules/${dependency}`];
  return `${dependency}@${pinned}`;
}

const content = { component: { ...installed.metadata.component, 'bom-ref': self, type: 'application', name }, components, dependencies };
const sum = createHash('sha256').update(JSON.stringify(content)).digest('hex');
/** RFC 9562, version 8: made from the content, in place of npm's random one. */
const uuid = [sum.slice(0, 8), sum.slice(8, 12), `8${sum.slice(13, 16)}`, `8${sum.slice(17, 20)}`, sum.slice(20, 32)].join('-');
const { SOURCE_DATE_EPOCH: epoch } = process.env;
const { component, ...rest } = content;
const bom = {
  ...{ $schema: everything.$schema, bomFormat: everything.bomFormat, specVersion: everything.specVersion },
  ...{ serialNumber: `urn:uuid:${uuid}`, version: 1 },
  metadata: {
    // The time of the source (https://reproducible-builds.org/specs/source-date-epoch/), or none.
    ...(epoch === undefined ? {} : { timestamp: new Date(Number(epoch) * 1000).toISOString() }),
    lifecycles: installed.metadata.lifecycles,
    tools: installed.metadata.tools,
    component,
  },
  ...rest,
};
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
