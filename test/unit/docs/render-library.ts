import ts from 'typescript';

/** What src/library/mailauth.ts exports, from its declarations and their comments: one part an export, one line a member. */
export function libraryPage(source: string): string {
  const file = ts.createSourceFile('mailauth.ts', source, ts.ScriptTarget.Latest, true);
  const exported = file.statements.filter(
    (one) => ts.canHaveModifiers(one) && ts.getModifiers(one)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true,
  );
  const functions = exported.filter(ts.isFunctionDeclaration);
  const shapes = exported.filter((one) => ts.isInterfaceDeclaration(one) || ts.isClassDeclaration(one));
  return [...functions.map((one) => functionPart(one, file)), ...shapes.map((one) => shapePart(one, file))].join('\n\n');
}

function functionPart(one: ts.FunctionDeclaration, file: ts.SourceFile): string {
  const end = one.body?.getStart(file) ?? one.getEnd();
  const signature = oneLine(file.text.slice(one.getStart(file), end).replace(/^export /, ''));
  return `### ${one.name?.text}\n\n\`\`\`text\n${signature}\n\`\`\`\n\n${commentOf(one)}`;
}

function shapePart(one: ts.InterfaceDeclaration | ts.ClassDeclaration, file: ts.SourceFile): string {
  const bases = (one.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText(file)));
  const kind = ts.isClassDeclaration(one) ? 'class' : 'shape';
  const head = `### ${one.name?.text}\n\n${[commentOf(one), `A ${kind}${bases.length === 0 ? '' : `, with what \`${bases.join('`, `')}\` has`}.`].filter(Boolean).join(' ')}`;
  const members = [...one.members].filter((member) => !ts.isConstructorDeclaration(member));
  const lines = members.map((member) => {
    const text = oneLine(
      member
        .getText(file)
        .replace(/^(?:override )?(?:readonly )?/, '')
        .replace(/[;,]$/, ''),
    );
    const comment = commentOf(member);
    return `- \`${text}\`${comment === '' ? '' : `: ${comment}`}`;
  });
  return `${head}\n\n${lines.join('\n')}`;
}

const oneLine = (text: string): string =>
  text
    .replace(/\/\*\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/\breadonly /g, '')
    .trim();

/** The comment of a declaration as one line, with what it throws. */
function commentOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  if (doc === undefined) return '';
  const words = [ts.getTextOfJSDocComment(doc.comment) ?? ''];
  for (const tag of doc.tags ?? []) {
    const text = ts.getTextOfJSDocComment(tag.comment) ?? '';
    if (ts.isJSDocParameterTag(tag)) words.push(`\`${tag.name.getText()}\`: ${text}.`);
    // The reader takes `MailauthError` for a link: its text begins with the codes.
    else if (tag.tagName.text === 'throws')
      words.push(
        `Throws ${tag
          .getText()
          .replace(/^@throws\s+/, '')
          .replace(/\s*\*\s*/g, ' ')
          .trim()}.`,
      );
  }
  return words
    .join(' ')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim();
}
