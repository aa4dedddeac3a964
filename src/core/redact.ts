/** Also with the quotes of JSON, of JSON inside JSON, and of a form's encoding. */
const words =
  'secret|password|passwd|passphrase|pass|pwd|passwort|kennwort|mot de passe|contraseña|api[_-]?key|(?:client_?)?assertion|device_?code|code_?verifier|(?:refresh|access|id)[ _-]?token';
const name = String.raw`\b(?:[\w-]{0,30}_)?(?:${words})(?:\\{0,7}["'])?\s{0,9}(?:=|:|%3D)\s{0,9}`;
/** Up to the same quote, whatever stands between: a password may hold blanks and commas. */
const quotedAfterName = new RegExp(String.raw`(${name})(\\{0,7}["'])(?!\2)(?:(?!\2)[^\n]){1,400}\2`, 'gi');
const afterName = new RegExp(String.raw`(${name})(?!\\{0,7}["']\[secret\])((?:\\{0,7}["'])?)[^&\s"'<>;]+`, 'gi');
const inXml = new RegExp(String.raw`(<(?:[\w-]{0,30}:)?(?:[\w-]{0,30}_)?(?:${words})>)[^<\n]{1,400}(?=</)`, 'gi');
const asFlag = /(--?(?:client-secret|secret|password|passphrase|pass|token|access-token|refresh-token)[ \t=]{1,9})(?!-|\[)[^\s]+/gi;

/** The line behind a server's "go on" (RFC 4954 section 4: 334; IMAP: +), where it is nothing but one word behind a log's own signs. */
const answerToGoOn =
  /((?:\b334|^[^A-Za-z\n]{0,40}\+)(?:[ \t][^\n]{0,400})?\n[^A-Za-z\n]{0,60}(?:[A-Za-z]{1,7}:[ \t]{1,9})?)[\w+/=-]{4,}(?=[ \t\r]*$)/gm;

/** Tokens, codes and secrets by their shape or by the name in front of them: anything that must not be shown again. */
export function redact(text: string): string {
  return text
    .replace(/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*/g, '[token]')
    .replace(/\b(?:[01]\.A[\w-]{20,}|M\.[CR]\d+_[\w.!*$-]{8,}|EwB?[A-Z][\w+/=]{20,})[\w.!*$+/=-]*/g, '[token]')
    .replace(/(\bBearer\s+)[\w.~+/=-]{8,}/gi, '$1[token]')
    .replace(/(\bauthorization["']?\s{0,9}[:=]\s{0,9}["']?basic\s{1,9})[\w+/=-]{4,}/gi, '$1[secret]')
    .replace(/([?&](?:code|state|session_state|nonce)=)[^&\s"'<>]+/g, '$1[secret]')
    .replace(/(\bcode["']?\s{0,9}[=:]\s{0,9}["']?)(?=(?:[^\s\d]{0,80}\d){3})[\w.~+/=-]{24,}/gi, '$1[secret]')
    .replace(/(\b(?:set-)?cookie2?["']?\s{0,9}[:=]\s{0,9})[^\n]{1,4000}/gi, '$1[secret]')
    .replace(inXml, '$1[secret]')
    .replace(asFlag, '$1[secret]')
    .replace(quotedAfterName, '$1$2[secret]$2')
    .replace(afterName, '$1$2[secret]')
    .replace(/(\/\/[^\s/:@"']{1,200}:)[^\s/@"']{1,200}@/g, '$1[secret]@')
    .replace(answerToGoOn, '$1[secret]')
    .replace(/(\bAUTH(?:ENTICATE)?\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\s+)[\w+/=-]{4,}/gi, '$1[secret]')
    .replace(
      /(\bLOGIN\s{1,9}\S{1,200}@\S{1,200}\s{1,9}|\b[A-Z]{0,6}\d{1,9}\s{1,9}LOGIN\s{1,9}(?:"[^"\n]{1,200}"|\S{1,200})\s{1,9}|^[ \t]{0,40}PASS\s{1,9})(?:"(?:[^"\\\n]|\\.){0,200}"|\S+)/gim,
      '$1[secret]',
    )
    .replace(/[A-Za-z0-9_~.+=-]{60,}/g, '[long value]');
}
