import type { Frame, Recorder } from './recorder.ts';

/** Select graphic rendition (ECMA-48 section 8.3.117): the only escape sequences of a screen that tmux hands over. */
const rendition = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`, 'g');
const plain = (line: string): string => line.replaceAll(rendition, '');

const looks = {
  light: {
    ground: '#f6f8fa',
    edge: '#d1d9e0',
    ink: '#1f2328',
    d: '#59636e',
    r: '#cf222e',
    g: '#1a7f37',
    y: '#9a6700',
    b: '#0969da',
    c: '#0b6e78',
  },
  dark: {
    ground: '#0d1117',
    edge: '#3d444d',
    ink: '#f0f6fc',
    d: '#9198a1',
    r: '#ff7b72',
    g: '#3fb950',
    y: '#d29922',
    b: '#58a6ff',
    c: '#56d4dd',
  },
} as const;
export type Look = keyof typeof looks;

const colours: Readonly<Record<string, string>> = { 31: 'r', 32: 'g', 33: 'y', 34: 'b', 36: 'c' };
const [columnWidth, lineHeight, margin] = [7.85, 19, 20];

/** One screen as a picture. */
export function svgOf({ lines }: Frame, title: string, look: Look): string {
  const columns = Math.max(...lines.map((line) => plain(line).length));
  const [width, height] = [Math.ceil(columns * columnWidth) + 2 * margin, lines.length * lineHeight + 2 * margin - 4];
  const { ground, edge, ink, ...tones } = looks[look];
  let style = bare;
  const texts = lines.flatMap((line, i) => {
    const drawn = spansOf(line, style);
    const { spans } = drawn;
    style = drawn.style;
    return spans === '' ? [] : [`<text x="${margin}" y="${32 + i * lineHeight}" xml:space="preserve">${spans}</text>`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">
<title id="t">${escaped(title)}</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: ${ink} }
.w { font-weight: 600 } ${Object.entries(tones)
    .map(([name, colour]) => `.${name} { fill: ${colour} }`)
    .join(' ')}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${ground}" stroke="${edge}"/>
${texts.join('\n')}
</svg>
`;
}

interface Style {
  readonly colour: string;
  readonly bold: boolean;
  readonly dim: boolean;
}
const bare: Style = { colour: '', bold: false, dim: false };

const changes: Readonly<Record<string, Partial<Style>>> = {
  '': bare,
  0: bare,
  1: { bold: true },
  2: { dim: true },
  39: { colour: '' },
  ...Object.fromEntries(Object.entries(colours).map(([code, colour]) => [code, { colour }])),
};

/** The style goes on into the next line, as on a terminal. */
function spansOf(line: string, from: Style): { readonly spans: string; readonly style: Style } {
  let style = from;
  let spans = '';
  for (const [i, part] of line.split(rendition).entries()) {
    if (i % 2 === 1) style = Object.assign({}, style, ...part.split(';').map((code) => changes[code]));
    else spans += spanOf(part, style);
  }
  return { spans, style };
}

function spanOf(text: string, { colour, bold, dim }: Style): string {
  const classes = [bold ? 'w' : '', dim ? 'd' : colour].filter((one) => one !== '').join(' ');
  return text === '' || classes === '' ? escaped(text) : `<tspan class="${classes}">${escaped(text)}</tspan>`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The recording for `asciinema play` (https://docs.asciinema.org/manual/asciicast/v2/): each frame draws the end of its screen anew. */
export function castOf({ frames, columns }: Pick<Recorder, 'frames' | 'columns'>, title: string): string {
  const height = 34;
  let at = 0;
  const events = frames.map(({ lines, seconds }) => {
    const event = [Number(at.toFixed(2)), 'o', `\u001b[0m\u001b[2J\u001b[H${lines.slice(-height).join('\r\n')}`];
    at += seconds;
    return JSON.stringify(event);
  });
  const end = JSON.stringify([Number(at.toFixed(2)), 'o', '\u001b[0m']);
  return `${[JSON.stringify({ version: 2, width: columns, height, title, env: { TERM: 'xterm-256color' } }), ...events, end].join('\n')}\n`;
}
