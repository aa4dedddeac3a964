import * as z from 'zod/mini';

const shape = z.object({ floors: z.array(z.object({ folder: z.string(), holds: z.string() })) });

export interface Floor {
  readonly folder: string;
  readonly holds: string;
  /** its folders inside, without its own name */
  readonly inside: readonly string[];
}

/** The folders of `src` from the roof to the ground, from the one list that the house check goes by. */
export async function floors(): Promise<readonly Floor[]> {
  const read = shape.parse(await import(new URL('../../house/floors.mjs', import.meta.url).href)).floors;
  const top = read.filter(({ folder }) => folder !== '.' && !folder.includes('/'));
  return top.map(({ folder, holds }) => ({
    folder,
    holds,
    inside: read.filter((one) => one.folder.startsWith(`${folder}/`)).map((one) => one.folder.slice(folder.length + 1)),
  }));
}

const rowHeight = 44;
const width = 860;

/** docs/pictures/floors.svg: one row a folder, light and dark. */
export function floorsPicture(all: readonly Floor[]): string {
  const rows = all.map(({ folder, holds, inside }, i) => {
    const y = 40 + i * rowHeight;
    const more = inside.length === 0 ? '' : `\n  <text class="inside" x="210" y="${y + 33}">${xml(inside.join(' · '))}</text>`;
    const line = inside.length === 0 ? y + 25 : y + 17;
    return `  <rect class="floor" x="10" y="${y}" width="${width - 20}" height="${rowHeight - 6}" rx="6"/>
  <text class="name" x="26" y="${y + 25}">${xml(folder)}/</text>
  <text class="holds" x="210" y="${line}">${xml(holds.replaceAll('`', ''))}</text>${more}`;
  });
  const height = 50 + all.length * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">
  <title id="t">The folders of src as floors of a house: each imports only what stands below it</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .name { font: 600 14px ui-monospace, monospace }
    .holds { fill: #1f2328 }
    .inside { font-size: 11px; fill: #59636e }
    .note { fill: #59636e }
    .floor { fill: #f6f8fa; stroke: #d1d9e0 }
    @media (prefers-color-scheme: dark) {
      text, .holds { fill: #f0f6fc }
      .inside, .note { fill: #9198a1 }
      .floor { fill: #151b23; stroke: #3d444d }
    }
  </style>
  <text class="note" x="10" y="24">A folder of src imports only what stands below it.</text>
${rows.join('\n')}
</svg>
`;
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
