// An OAuth 2.0 server over TLS (oidc-provider), whose access tokens are JSON Web Tokens for "dimsegate" (RFC 8707, RFC 9068).
//   issuer.js serve CERTIFICATE KEY CA     prints "listening PORT"
//   issuer.js ask CA URL                   prints what is there
// Besides what such a server has: /order/token/SCOPE gives a token, /order/rotate makes new keys, and /order/keys, /order/large,
// /order/endless, /order/redirect and /order/nonsense say what there is at /jwks from then on.
const { generateKeyPairSync } = require('crypto');
const { readFileSync } = require('fs');
const https = require('https');

const SECRET = 'a secret of the test';

function ask(ca, url, body) {
  return new Promise((given, failed) => {
    const headers = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
    const asked = https.request(url, { method: body ? 'POST' : 'GET', ca: readFileSync(ca), headers }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('end', () => given(text));
    });
    asked.on('error', failed);
    asked.end(body);
  });
}

function signingKey(kid) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
}

function provider(issuer, kid) {
  const { Provider } = require('oidc-provider');
  const resource = {
    audience: 'dimsegate',
    scope: 'all echo',
    accessTokenFormat: 'jwt',
    accessTokenTTL: 300,
    jwt: { sign: { alg: 'ES256' } },
  };
  const client = {
    client_id: 'modality',
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
  };
  return new Provider(issuer, {
    jwks: { keys: [signingKey(kid)] },
    clients: [client],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: () => resource },
    },
  }).callback();
}

const odd = {
  large: (answer) => answer.end(' '.repeat(10 << 20)),
  endless: (answer) => {
    const more = setInterval(() => answer.write(' '), 100);
    answer.on('close', () => clearInterval(more));
  },
  redirect: (answer) => answer.writeHead(302, { location: '/elsewhere' }).end(),
  nonsense: (answer) => answer.end('{"keys":[]}'),
};

async function serve(certificate, key, ca) {
  let handler;
  let keys = 1;
  let served = 'keys';
  const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
  const server = https.createServer(tls, (asked, answer) => handler(asked, answer));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `https://localhost:${server.address().port}`;
  let own = provider(issuer, String(keys));
  const orders = {
    token: async (scope) => {
      const grant = { grant_type: 'client_credentials', client_id: 'modality', client_secret: SECRET };
      const text = await ask(ca, `${issuer}/token`, String(new URLSearchParams({ ...grant, resource: 'urn:dimsegate', scope })));
      return JSON.parse(text).access_token ?? text;
    },
    rotate: () => {
      keys += 1;
      own = provider(issuer, String(keys));
      return 'rotated';
    },
  };
  handler = async (asked, answer) => {
    const [, first, order, value] = asked.url.split('/');
    if (first === 'order') {
      if (!orders[order]) served = order;
      answer.end(orders[order] ? await orders[order](value) : order);
    } else if (asked.url === '/jwks' && odd[served]) {
      odd[served](answer);
    } else {
      own(asked, answer);
    }
  };
  console.log(`listening ${server.address().port}`);
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'serve') serve(...rest);
else ask(...rest).then((text) => console.log(text));
