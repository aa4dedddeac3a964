import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import type { ProblemCode } from '../../../src/errors/problem.ts';
import { explained } from '../../../src/explain/fill.ts';
import { isFault, sandboxFaults } from '../../../src/sandbox/faults/faults.ts';

/** Errors that no server of the sandbox causes, each with the reason. */
const reasons: Readonly<Record<string, readonly ProblemCode[]>> = {
  'how the command was typed, and what it needs to be told': [
    'usage',
    'unknown-command',
    'value-invalid',
    'variable-unknown',
    'answer-missing',
    'needs-yes',
    'no-mailbox',
    'mailbox-choice',
    'mailbox-unknown',
    'mail-user-name',
    'guide-choice',
    'product-unknown',
    'cloud-unknown',
    'cloud-file-broken',
    'tenant-malformed',
    'sandbox-with-cloud',
    'redirect-not-accepted',
    'redirect-not-here',
    'password-not-here',
    'password-unusable',
    'paste-ended',
    'device-not-here',
    'device-confidential',
    'app-only-not-here',
    'app-only-personal',
    'certificate-unusable',
    'secret-in-argv',
    'secret-is-id',
    'secret-unusable',
    'export-cannot',
    'export-client-unknown',
    'export-protocol-missing',
  ],
  'the state of what mailauth keeps on this computer': [
    'not-signed-in',
    'handed-over',
    'sign-in-lost',
    'not-refreshable',
    'nothing-to-test',
    'nothing-to-resume',
    'resume-choice',
    'setup-file-broken',
    'no-client-secret',
    'stored-secret-missing',
    'certificate-ended',
    'certificate-not-rotated',
    'secret-ends-soon',
    'expires-soon',
    'rotation-open',
    'delete-app-refused',
    'delete-app-used',
    'handoff-file-kept',
    'doctor-report-exists',
    'doctor-report-failed',
    'write-failed',
    'file-exposed',
    'file-foreign',
    'home-open',
    'home-unknown',
    'home-exposed',
    'authority-changed',
    'authority-unknown',
    'refresh-foreign',
    'answer-foreign',
    'mailbox-file-altered',
    'home-file-broken',
    'home-not-writable',
    'mailbox-file-broken',
    'sandbox-folder',
  ],
  'the store': [
    'keychain-busy',
    'keychain-no-binding',
    'keychain-unconfirmed',
    'keychain-denied',
    'keychain-failed',
    'keychain-hung',
    'keychain-locked',
    'keychain-no-bus',
    'keychain-no-collection',
    'keychain-no-provider',
    'key-file-exists',
    'key-file-not-made',
    'key-file-unusable',
    'passphrase-file-unusable',
    'passphrase-needed',
    'passphrase-short',
    'sealed-copy-damaged',
    'sealed-copy-missing',
    'sealed-file-damaged',
    'sealed-file-newer',
    'sealed-file-unreadable',
    'sealed-key-kind',
    'sealed-key-wrong',
    'store-damaged',
    'store-forgets',
    'store-move-differs',
    'restore-declined',
  ],
  'this computer: its network, proxy, clock, browser and programs': [
    'dns-failed',
    'no-network',
    'proxy-broken',
    'proxy-refused',
    'tls-client-certificate',
    'extra-authorities-broken',
    'certificates-unchecked',
    'tls-inspected',
    'clock-unknown',
    'clock-wrong',
    'node-too-old',
    'browser-missing',
    'loopback-https',
    'loopback-no-answer',
    'loopback-port-taken',
    'loopback-redirect-unusable',
    'loopback-refused',
    'sandbox-port-taken',
    'sandbox-running',
  ],
  'another mailauth at the same time': ['setup-busy', 'rotation-busy', 'refresh-busy', 'store-busy', 'sandbox-busy'],
  'a person who stops, declines or does not come': [
    'interrupted',
    'setup-declined',
    'logout-declined',
    'sign-in-timeout',
    'device-timeout',
    'device-code-pending',
    'sandbox-sign-in-stopped',
  ],
  'sums up failures that have entries of their own': [
    'doctor-failed',
    'doctor-check-late',
    'results-differ',
    'mailboxes-red',
    'mail-host-paused',
    'keepalive-red',
  ],
  'what stands in the tenant, not how its servers behave: test/commands builds it there': [
    'app-exists',
    'app-switched-off',
    'delete-not-ours',
    'registration-ambiguous',
    'secret-limit',
    'mail-no-full-access',
    'smtp-user-name',
    'product-needs-no-mfa',
  ],
  'policy-blocked, device-required, client-secret-expired and client-secret-wrong of a mailbox that worked before': [
    'refresh-policy',
    'stored-secret-expired',
    'stored-secret-wrong',
  ],
  'only `explain` says it, of the words of other programs': ['sasl-challenge'],
  'one fault among several steps: token-unavailable in a rotation (test/commands), slowness at every stage (test/unit/mail)': [
    'rotation-unproven',
    'mail-test-timeout',
  ],
};
const elsewhere = Object.values(reasons).flat();
const caused = sandboxFaults.flatMap((fault) => fault.sees ?? []);

describe('the faults', () => {
  it('cause every entry of the catalogue that a server can cause', () => {
    expect(Object.keys(catalogue).filter((code) => !caused.some((c) => c === code) && !elsewhere.some((c) => c === code))).toEqual([]);
  });

  it('cause none of the entries that are listed here as not caused, and none of those is listed twice', () => {
    expect(elsewhere.filter((code) => caused.includes(code))).toEqual([]);
    expect(new Set(elsewhere).size).toBe(elsewhere.length);
    expect(elsewhere.filter((code) => !(code in catalogue))).toEqual([]);
  });

  it('have names that can be typed, each once', () => {
    const names = sandboxFaults.map((fault) => fault.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z0-9-]{3,30}$/.test(name))).toEqual([]);
    expect([isFault('policy-blocked'), isFault('nonsense')]).toEqual([true, false]);
  });

  it('without an error are only those that mailauth gets over by waiting, and a sign-in that works until its token ends', () => {
    expect(sandboxFaults.filter((fault) => fault.sees === undefined).map((fault) => fault.name)).toEqual([
      ...[
        'no-refresh-token',
        'device-slow-down',
        'device-unavailable',
        'graph-lag',
        'graph-throttled',
        'graph-unavailable',
        'graph-reads-lag',
        'graph-claims-challenge',
        'secret-not-replicated',
      ],
    ]);
  });

  it('all have a title that can be listed', () => {
    const cloud = namedCloud('public');
    for (const code of new Set(caused)) expect(explained(code, {}, { cloud })?.error.title).toMatch(/^\S.*[^.]$/);
  });
});
