/**
 * What to say when the pasted text is not the answer yet. The question is asked again, so these are
 * no errors; `host` comes from the pasted text and must have gone through `plain()`.
 */
export const pastedTexts = {
  empty: 'Nothing was pasted. Copy the whole address of the page the browser ended on.',
  tooLong: 'That is far too long to be the address. Copy only the address bar.',
  authorize: (target: string) =>
    `That is the address the sign-in starts with. Open it, sign in, then paste the address the browser ends on: it begins with ${target}`,
  signInPage: (target: string) =>
    `That is still Microsoft's sign-in page. Finish there, then paste the address the browser ends on: it begins with ${target}`,
  errorPage: (number: string | undefined) =>
    number === undefined
      ? "That is an error page of Microsoft's. Read it, close it, and open the sign-in address shown above again."
      : `That is an error of Microsoft's. What it means: mailauth explain AADSTS${number}. Then open the sign-in address shown above again.`,
  devicePage: (target: string) =>
    `That is the page for device codes, which belongs to --sign-in device. Open the sign-in address shown above; the one to paste begins with ${target}`,
  wrongPlace: (target: string) =>
    `That is Microsoft's end page for other apps (nativeclient or "wrong place"); the answer never comes there. Open the sign-in address in a fresh tab and paste the one that begins with ${target}`,
  otherHost: (host: string, target: string) =>
    `That address belongs to ${host}, not to this sign-in. The one to paste begins with ${target}`,
  otherPort: (target: string) =>
    `That address is from another sign-in: this one begins with ${target}. Open the sign-in address shown above.`,
  otherState: 'That address belongs to another sign-in (its state differs). Open the sign-in address shown above and use that tab.',
  noAnswer: 'That address has no code in it. Copy all of it, with everything after the question mark.',
  cut: 'That is only the first part of the address. Paste the rest now, or all of it again, up to the end of the address bar.',
  twice: 'That text holds more than one answer. Paste the address once, and only the address.',
  damaged: 'That address is damaged: part of it is missing or was changed. Copy it again from the address bar.',
  token: 'That is a token, not the code. Do not paste tokens; paste the address of the page the browser ended on.',
  guid: 'That is an id, not the code. Paste the address of the page the browser ended on.',
  unknown: (target: string) => `That is neither an address nor a code. Paste the whole address, which begins with ${target}`,
} as const;
