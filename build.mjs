// `npm run build [-- --sourcemap]`: the programs in dist/ and THIRD-PARTY-NOTICES, which names every package that they contain.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const root = dirname(fileURLToPath(import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The programs of the package: each is one file that needs only Node, the packages in `dependencies` and its neighbours in dist/. */
const programs = {
  main: 'src/main.ts',
  app: 'src/app.ts',
  'keychain-child': 'src/system/keychain/keychain-child.ts',
  // What other programs import. It loads app.cjs, or the explanations alone, at the first call that needs them.
  library: 'src/library/mailauth.ts',
  'explain-now': 'src/library/explain-now.ts',
};
/** `token get` is a program of its own and reads its few schemas without zod (see src/quick). */
const quick = {
  entry: { quick: 'src/quick/quick.ts', 'quick-database': 'src/quick/quick-database.ts' },
  schemas: './src/quick/tiny-schema.ts',
};
/**
 * What is imported only when it is needed becomes a file of its own, so that app.cjs does not grow by it: the questions, the package that
 * makes the certificates of the sandbox, and the one that reads CSV. None may import a module that app.cjs contains too, for it would exist
 * twice.
 */
const chunks = {
  './inquirer.ts': { name: 'inquirer', entry: 'src/system/terminal/inquirer.ts' },
  selfsigned: { name: 'certificates', entry: 'selfsigned' },
  pg: { name: 'postgresql', entry: 'pg' },
  'csv-parse/sync': { name: 'csv', entry: 'csv-parse/sync' },
};
const separateChunks = {
  name: 'separate-chunks',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'dynamic-import' && Object.hasOwn(chunks, path) ? { path: `./${chunks[path].name}.cjs`, external: true } : undefined,
    );
  },
};

const common = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  target: 'node20.19',
  minify: true,
  // The notices of all packages are in THIRD-PARTY-NOTICES.
  legalComments: 'none',
  sourcemap: process.argv.includes('--sourcemap'),
  // pg asks for `Response`, to find out whether it runs at Cloudflare's, and Node loads all of undici to answer.
  define: { Response: 'undefined', 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
  // pg takes its other two ways only where they are installed: one is a compiled library, the other is for Cloudflare's workers.
  external: [...Object.keys(dependencies), 'pg-native', 'pg-cloudflare'],
  plugins: [separateChunks],
  metafile: true,
  logLevel: 'warning',
  // A word of zod that tiny-schema.ts lacks would be undefined when `token get` runs.
  logOverride: { 'import-is-undefined': 'error' },
};

/** The folder of the package that a source file belongs to, or undefined for a file of this project. */
function packageFolder(source) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0];
}

/** The licence texts that a package ships, in one text. */
function licenceOf(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copyright|notice)/i.test(name));
  if (names.length === 0) {
    // pg-types and pgpass have theirs as the last section of the README.
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const text = /^## licen[cs]e\n(.*)$/ims.exec(readme)?.[1];
    if (text?.includes('Permission is hereby granted') !== true)
      throw new Error(`${folder} has no licence text: find it and decide whether the package may be bundled`);
    return text.trim();
  }
  return names.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
}

/** One entry for each package of which a program contains a part. */
function notices(metafiles) {
  const sources = metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)));
  const folders = new Set(sources.map(packageFolder).filter((folder) => folder !== undefined));
  const entries = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return { title: `${name} ${version} (${license})`, text: licenceOf(join(root, folder)) };
  });
  entries.sort((a, b) => (a.title < b.title ? -1 : 1));
  const rule = '-'.repeat(80);
  const head = 'The files in dist/ contain parts of the packages below. Each stands under the licence that follows its name.';
  return `${[head, ...entries.map(({ title, text }) => `${rule}\n${title}\n\n${text}`)].join('\n\n')}\n`;
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
const built = await Promise.all([
  build({ ...common, entryPoints: { ...programs, ...Object.fromEntries(Object.values(chunks).map(({ name, entry }) => [name, entry])) } }),
  build({
    ...common,
    entryPoints: quick.entry,
    conditions: ['quick'],
    alias: { 'zod/mini': quick.schemas },
    // `require` spares the ESM loader, a fifth of the time of a bare Node.
    supported: { 'dynamic-import': false },
  }),
]);

// The library for `import`, which must not load it twice, and its types for both: the one file that declares what is public.
writeFileSync(
  join(root, 'dist/library.mjs'),
  "import library from './library.cjs';\n\nexport const { MailauthError, openMailauth } = library;\n",
);
const { outputText } = ts.transpileDeclaration(readFileSync(join(root, programs.library), 'utf8'), {
  fileName: programs.library,
  compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext },
});
for (const name of ['library.d.mts', 'library.d.cts']) writeFileSync(join(root, 'dist', name), outputText);
writeFileSync(join(root, 'THIRD-PARTY-NOTICES'), notices(built.map(({ metafile }) => metafile)));
