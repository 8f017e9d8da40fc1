// A platform as strict as the FAPI 2.0 Security Profile: pushed requests, private_key_jwt, bound tokens with the server's nonce, S256, `iss` in every answer.
//
// node provider.mjs FOLDER, where FOLDER/node_modules holds oidc-provider. Prints {"issuer": ...} when it listens. Everything is in memory. Whoever comes to log in is
// the account that POST /test/account named last, and agrees. POST /test/clients registers a client; GET /test/counts says what was given out.

import { randomBytes, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const module = (path) => import(pathToFileURL(join(process.argv[2], 'node_modules/oidc-provider/lib', path)))
const { Provider } = await module('index.js')
const { default: Memory } = await module('adapters/memory_adapter.js')

const clients = new Map()
const counts = { codes: 0, tokens: 0, refreshed: 0, revoked: 0, refused: 0, userinfo: 0 }
let account = 'alice'

class Adapter extends Memory {
  async find (id) {
    return this.model === 'Client' ? clients.get(id) : super.find(id)
  }
}

const listener = createServer()
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${listener.address().port}`
const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }

const provider = new Provider(issuer, {
  adapter: Adapter,
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clientDefaults: { id_token_signed_response_alg: 'ES256', response_types: ['code'] },
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 300, RefreshToken: 3600, Session: 3600 },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: false }
  }
})

const body = async (request) => {
  const parts = []
  for await (const part of request) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString() || '{}')
}

const interact = async (ctx) => {
  const { prompt, params, grantId } = await provider.interactionDetails(ctx.req, ctx.res)
  if (prompt.name === 'login') return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: account } }, { mergeWithLastSubmission: false })
  const { session } = await provider.interactionDetails(ctx.req, ctx.res)
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/test/clients') {
    const given = await body(ctx.req)
    clients.set(given.client_id, given)
    ctx.body = {}
  } else if (ctx.path === '/test/account') {
    account = (await body(ctx.req)).account
    ctx.body = {}
  } else if (ctx.path === '/test/counts') {
    ctx.body = counts
  } else if (ctx.path.startsWith('/interaction/')) {
    ctx.respond = false
    await interact(ctx)
  } else {
    await next()
    if (ctx.path === '/me' && ctx.status === 200) counts.userinfo += 1
  }
})
provider.on('authorization_code.saved', () => { counts.codes += 1 })
provider.on('grant.success', (ctx) => { counts[ctx.oidc.params.grant_type === 'refresh_token' ? 'refreshed' : 'tokens'] += 1 })
provider.on('grant.error', () => { counts.refused += 1 })
provider.on('grant.revoked', () => { counts.revoked += 1 })
for (const name of ['server_error', 'pushed_authorization_request.error', 'authorization.error', 'grant.error', 'userinfo.error', 'revocation.error']) {
  provider.on(name, (_, error) => console.error(name, error.message, error.error_detail ?? ''))
}

listener.on('request', provider.callback())
process.stdin.on('end', () => process.exit(0)).resume()
console.log(JSON.stringify({ issuer }))
