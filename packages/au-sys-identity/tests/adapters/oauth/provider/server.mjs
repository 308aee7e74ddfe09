// A real OpenID Connect provider: whoever comes is signed in as the account that the tests chose last.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);
let current = {};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'platform',
    client_secret: 'a secret that both sides know, 32+ long',
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale'], acr: null, amr: null },
  cookies: { keys: ['of a provider that lives as long as a test'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/choose/${interaction.uid}` },
  async findAccount(_ctx, id) {
    const known = current.sub === id ? current : { sub: id };
    return { accountId: id, claims: async () => known };
  },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

const answers = provider.callback();
const server = createServer(async (request, response) => {
  if (request.url === '/control' && request.method === 'POST') {
    let text = '';
    for await (const chunk of request) text += chunk;
    current = JSON.parse(text);
    response.end('{}');
  } else if (request.url.startsWith('/choose/')) {
    const result = current.refuse ? { error: 'access_denied' } : { login: { accountId: current.sub, remember: false } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } else {
    answers(request, response);
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
