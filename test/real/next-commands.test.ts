// The walk of test/flows, over every failure that the sandbox can cause.
process.env.MAILAUTH_TEST_ALL = '1';
await import('../flows/next-commands.test.ts');
