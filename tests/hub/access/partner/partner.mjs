// A partner's app, written with openid-client: discovers the hub, gets a bound token, asks, introspects, revokes; and everything that must be refused, by name.
//
// node partner.mjs FOLDER, where FOLDER/node_modules holds openid-client. Reads one JSON object from its input: {issuer, client, key, query, only}. Prints one JSON
// object: {flow: {...}, refused: {name: {status, error}}}. `only` names the variants to try; null: all.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const oauth = await import(pathToFileURL(join(process.argv[2], 'node_modules/openid-client/build/index.js')))
const given = JSON.parse(readFileSync(0, 'utf-8'))
const { issuer, client } = given
const resource = `${issuer}/graphql`
const scope = 'customers:read'
const now = () => Math.floor(Date.now() / 1000)

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await crypto.subtle.importKey('jwk', given.key, ecdsa, false, ['sign'])
const own = { key, kid: given.key.kid }
let calls = []

async function partner (auth, metadata) {
  const config = await oauth.discovery(new URL(issuer), client, metadata, auth, { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] })
  config[oauth.customFetch] = async (url, options) => {
    const answer = await fetch(url, options)
    calls.push([new URL(url).pathname, answer.status])
    return answer
  }
  return config
}

const proving = (change, using = own) => oauth.PrivateKeyJwt(using, change && { [oauth.modifyAssertion]: change })
const pair = await oauth.randomDPoPKeyPair('ES256')
const bound = (config, change, keys = pair) => oauth.getDPoPHandle(config, keys, change && { [oauth.modifyAssertion]: change })
const login = (config, DPoP, more = {}) => oauth.clientCredentialsGrant(config, { scope, resource, ...more }, { DPoP })

function ask (config, token, DPoP, method = 'POST') {
  const headers = new Headers({ 'content-type': 'application/json' })
  const body = JSON.stringify({ query: given.query })
  return oauth.fetchProtectedResource(config, token, new URL(resource), method, body, headers, DPoP && { DPoP })
}

const config = await partner(proving())

async function flow () {
  const DPoP = bound(config)
  calls = []
  const token = await login(config, DPoP)
  const login_calls = [...calls]
  // A second handle knows no nonce: the library must be asked for it, and comes back with it.
  calls = []
  const answer = await (await ask(config, token.access_token, bound(config))).json()
  const asked_calls = [...calls]
  const before = await oauth.tokenIntrospection(config, token.access_token)
  await oauth.tokenRevocation(config, token.access_token)
  const after = await oauth.tokenIntrospection(config, token.access_token)
  const again = await refusal(() => ask(config, token.access_token, DPoP))
  return { metadata: config.serverMetadata(), token, login_calls, answer, asked_calls, before, after, again }
}

async function refusal (attempt) {
  try {
    const found = await attempt()
    return { accepted: true, status: found?.status ?? 200 }
  } catch (error) {
    const challenge = error.cause?.[0]?.parameters
    return { status: error.status ?? error.response?.status ?? null, error: error.error ?? challenge?.error ?? error.code ?? String(error) }
  }
}

const asserting = (change, using) => async () => login(await partner(proving(change, using)), bound(config))
const claim = (values) => asserting((_, claims) => { Object.assign(claims, values()) })
const fresh = await crypto.subtle.generateKey(ecdsa, false, ['sign'])

const VARIANTS = {
  'assertion for another audience': claim(() => ({ aud: 'https://evil.example' })),
  'assertion for the token endpoint': claim(() => ({ aud: `${issuer}/oauth/token` })),
  'assertion for a list of audiences': claim(() => ({ aud: [issuer, 'https://evil.example'] })),
  'assertion of another issuer': claim(() => ({ iss: 'another' })),
  'assertion about another subject': claim(() => ({ sub: 'another' })),
  'assertion that has expired': claim(() => ({ exp: now() - 1 })),
  'assertion that lives an hour': claim(() => ({ exp: now() + 3600 })),
  'assertion from the future': claim(() => ({ iat: now() + 61, nbf: now() + 61, exp: now() + 120 })),
  'assertion without an id': asserting((_, claims) => { delete claims.jti }),
  'assertion signed by another key': asserting(undefined, { key: fresh.privateKey, kid: own.kid }),
  'assertion with an unknown key id': asserting((header) => { header.kid = 'unknown' }),
  'assertion of a token\'s type': asserting((header) => { header.typ = 'at+jwt' }),
  'assertion used twice': async () => {
    const twice = claim(() => ({ jti: 'the-same-id' }))
    await twice()
    return twice()
  },
  'a secret instead of an assertion': async () => login(await partner(oauth.ClientSecretPost('secret')), bound(config)),
  'a secret in the header': async () => login(await partner(oauth.ClientSecretBasic('secret')), bound(config)),
  'another resource': () => login(config, bound(config), { resource: 'https://evil.example/graphql' }),
  'a scope that is not registered': () => login(config, bound(config), { scope: 'facts:read' }),
  'another grant': async () => oauth.genericGrantRequest(config, 'password', { username: 'x', password: 'y' }, { DPoP: bound(config) }),
  'no proof at the token endpoint': () => login(config, undefined),
  'proof for another endpoint': () => login(config, bound(config, (_, claims) => { claims.htu = resource })),
  'proof of yesterday': () => login(config, bound(config, (_, claims) => { claims.iat = now() - 86400 })),
  'bound token as Bearer': async () => ask(config, (await login(config, bound(config))).access_token, undefined),
  'token with the proof of another key': async () => {
    const token = await login(config, bound(config))
    return ask(config, token.access_token, bound(config, undefined, await oauth.randomDPoPKeyPair('ES256')))
  },
  'token with the proof for another token': async () => {
    const token = await login(config, bound(config))
    return ask(config, token.access_token, bound(config, (_, claims) => { if (claims.ath) claims.ath = 'x'.repeat(43) }))
  },
  'proof used twice': async () => {
    const token = await login(config, bound(config))
    const DPoP = bound(config, (_, claims) => { claims.jti = `twice-${token.access_token.slice(-20)}` })
    await ask(config, token.access_token, DPoP)
    return ask(config, token.access_token, DPoP)
  }
}

const refused = {}
for (const [name, attempt] of Object.entries(VARIANTS)) {
  if (!given.only || given.only.includes(name)) refused[name] = await refusal(attempt)
}
process.stdout.write(JSON.stringify({ flow: given.only ? null : await flow(), refused }))
