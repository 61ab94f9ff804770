import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Environment } from '@millrace/kit'
import { authSettings, notificationSettings, taskSettings } from './settings.ts'

const neighbours = { AUTH_SERVICE_URL: 'http://localhost:8084', SERVICE_TOKEN: 'shared' }

test('what is set is taken, and the sender has a default', () => {
  assert.deepEqual(
    notificationSettings({ ...neighbours, SMTP_URL: 'smtps://user:word@mail.example' }),
    {
      authUrl: 'http://localhost:8084',
      serviceToken: 'shared',
      smtpUrl: 'smtps://user:word@mail.example',
      mailFrom: 'todo@localhost',
    },
  )
})

test('auth makes its own secret in development', () => {
  assert.equal(authSettings({ SERVICE_TOKEN: 'shared' }).tokenSecret, null)
})

const wrong: readonly [string, (env: Environment) => unknown, Environment, RegExp][] = [
  [
    'nothing is set',
    taskSettings,
    {},
    /AUTH_SERVICE_URL is not set \(an address .* https:\/\/\); SERVICE_TOKEN is not set \(the same/,
  ],
  [
    'a variable is empty',
    taskSettings,
    { ...neighbours, SERVICE_TOKEN: '' },
    /: SERVICE_TOKEN is not set \(the same for all services: openssl rand -base64 32\)$/,
  ],
  [
    'a token has a space',
    taskSettings,
    { ...neighbours, SERVICE_TOKEN: 'of services' },
    /SERVICE_TOKEN may have letters, digits/,
  ],
  [
    'the mail server is a web address',
    notificationSettings,
    { ...neighbours, SMTP_URL: 'http://mail' },
    /SMTP_URL is no address that begins with smtp:\/\/ or smtps:\/\/$/,
  ],
  [
    'production has no secret',
    authSettings,
    { SERVICE_TOKEN: 'shared', NODE_ENV: 'production' },
    /TOKEN_SECRET is not set; in production/,
  ],
  [
    'the secret is short',
    authSettings,
    { SERVICE_TOKEN: 'shared', TOKEN_SECRET: 'short' },
    /TOKEN_SECRET has 5 bytes and needs 32/,
  ],
]
for (const [name, settings, env, message] of wrong) {
  test(`where ${name}, the start says so`, () => {
    assert.throws(() => settings(env), { code: 'config-invalid', message })
  })
}

test('a wrong address is not repeated: it may hold a password', () => {
  const env = { ...neighbours, SMTP_URL: 'mail://user:hunter2@mail' }
  assert.throws(
    () => notificationSettings(env),
    (error) => error instanceof Error && !error.message.includes('hunter2'),
  )
})
