// The page of `cargo dev docs`: shows an OpenAPI document, and sends its requests.
'use strict';

// element('p', {class: 'x'}, 'text', child, …): text is always text, never markup.
const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ''));
  return made;
};
const $ = (id) => document.getElementById(id);

// The subset of Markdown that descriptions use: `code`, **bold**, paragraphs.
const inline = (text) =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`') && part.length > 2) return element('code', {}, part.slice(1, -1));
    if (part.startsWith('**') && part.length > 4) return element('strong', {}, part.slice(2, -2));
    return part;
  });
const prose = (text) => (text ?? '').split(/\n\n+/).filter(Boolean).map((paragraph) => element('p', {}, inline(paragraph)));

let api;
// Resolves a `$ref` and adds the members next to it.
const resolve = (node) => {
  if (!node || !node.$ref) return node;
  const { $ref, ...others } = node;
  const found = $ref.slice(2).split('/').reduce((at, step) => at?.[step], api);
  return { ...resolve(found), ...others };
};
const named = (node) => node?.$ref?.split('/').pop();

// Quotes a word for a POSIX shell.
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

const pretty = (value) => JSON.stringify(value, null, 2);

// Describes the values that a schema allows.
const facts = (schema) => {
  const said = [];
  const type = [schema.type].flat().filter(Boolean).join(' or ');
  if (schema.enum) said.push('one of: ' + schema.enum.join(', '));
  else if (schema.items?.enum) said.push('any of: ' + schema.items.enum.join(', '));
  else if (type) said.push(type + (schema.format ? ` (${schema.format})` : ''));
  if (schema.minimum !== undefined) said.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.maxLength !== undefined) said.push(`${schema.minLength ?? 0} to ${schema.maxLength} characters`);
  if (schema.default !== undefined) said.push(`default ${schema.default}`);
  if (schema.pattern && schema.pattern.length < 60) said.push(`pattern ${schema.pattern}`);
  return said.join(' · ');
};

const control = (parameter, schema) => {
  const attributes = { name: parameter.name, 'data-in': parameter.in, 'aria-label': parameter.name };
  const options = schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  if (options) {
    return element('select', attributes, element('option', { value: '' }, '—'), options.map((option) => element('option', {}, option)));
  }
  const example = parameter.example === undefined ? '' : [parameter.example].flat().join(',');
  const value = parameter.in === 'path' ? example : undefined;
  return element('input', { ...attributes, placeholder: example, value, spellcheck: 'false', autocomplete: 'off' });
};

const parameterRow = (parameter) => {
  const schema = resolve(parameter.schema);
  return element('div', { class: 'parameter' },
    element('div', {}, element('code', {}, parameter.name), ' ', parameter.required ? element('span', { class: 'required' }, 'required') : '',
      element('p', {}, inline(parameter.description ?? '')), element('div', { class: 'facts' }, facts(schema))),
    control(parameter, schema));
};

// The fields of a schema, nested ones with their path.
const fieldRows = (schema, prefix = '', depth = 0) => {
  const resolved = resolve(schema);
  return Object.entries(resolved?.properties ?? {}).flatMap(([name, below]) => {
    const field = resolve(below);
    const inner = field.type === 'array' ? resolve(field.items) : field;
    const type = field.type === 'array' ? `list of ${inner.type}s` : [field.type ?? 'any'].flat().join(' or ');
    const row = element('tr', {}, element('td', {}, prefix + name), element('td', {}, type + (inner.format ? ` (${inner.format})` : '')),
      element('td', {}, inline(field.description ?? '')));
    return [row, ...(depth < 4 ? fieldRows(inner, `${prefix}${name}.`, depth + 1) : [])];
  });
};

const headerRows = (headers) => Object.entries(headers ?? {}).map(([name, node]) => {
  const header = resolve(node);
  const values = header.schema?.enum?.join(' or ') ?? header.example ?? '';
  return element('tr', {}, element('td', {}, name), element('td', {}, inline(header.description ?? ''), ' ', values && element('code', {}, String(values))));
});

const responseRow = ([status, node]) => {
  const response = resolve(node);
  const parts = Object.entries(response.content ?? {}).flatMap(([type, media]) => {
    const examples = Object.entries(media.examples ?? {}).map(([name, node]) => [name, resolve(node).value]);
    if (media.example !== undefined) examples.push(['example', media.example]);
    const rows = status === '200' ? fieldRows(media.schema) : [];
    return [
      element('h3', {}, type),
      rows.length ? element('details', {}, element('summary', {}, `The ${rows.length} fields of ${named(media.schema)}`), element('table', {}, rows)) : '',
      ...examples.map(([name, value]) => element('div', {}, examples.length > 1 ? element('p', { class: 'facts' }, name) : '', element('pre', {}, pretty(value)))),
    ];
  });
  const headers = headerRows(response.headers);
  return element('details', {},
    element('summary', {}, element('span', { class: `status s${status[0]}` }, status), ' ', inline(response.description ?? '')),
    headers.length ? [element('h3', {}, 'Headers'), element('table', {}, headers)] : '', parts);
};

// Requests to this server's own stack go through the server (a page sees few headers of another
// origin), others go directly.
const address = (path, query) => {
  const base = $('base').value.trim().replace(/\/+$/, '');
  const own = base === '' || base === document.body.dataset.stack;
  return { shown: (base || document.body.dataset.stack) + path + query, asked: (own ? '' : base) + path + query };
};

const send = async (form, path, secured) => {
  const method = form.querySelector('[data-method]').value;
  const query = [];
  const headers = {};
  let target = path;
  for (const input of form.querySelectorAll('[data-in]')) {
    const value = input.value;
    if (input.dataset.in === 'path') target = target.replace(`{${input.name}}`, encodeURIComponent(value));
    // Commas and parentheses stay readable.
    else if (value !== '' && input.dataset.in === 'query') query.push(`${input.name}=${encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':')}`);
    else if (value !== '') headers[input.name] = value;
  }
  if (secured) authorize(headers);
  await deliver(form, target, query.length ? `?${query.join('&')}` : '', { method, headers });
};

const authorize = (headers) => {
  if ($('token').value.trim()) headers.Authorization = `Bearer ${$('token').value.trim()}`;
};

// Sends a request, and shows it as a line of curl with the answer.
const deliver = async (form, path, query, { method, headers, body: sent }) => {
  const { shown, asked } = address(path, query);
  const flags = Object.entries(headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`).join('') + (sent ? ` -d ${quoted(sent)}` : '');
  const result = form.parentElement.querySelector('.result');
  const button = form.querySelector('button');
  const show = (...parts) => result.replaceChildren(element('pre', {}, `curl${method === 'HEAD' ? ' -I' : ''}${flags} ${quoted(shown)}`), ...parts);
  button.disabled = true;
  show(element('p', { class: 'facts' }, 'Asking… (the first request to a function may build it)'));
  const began = performance.now();
  try {
    const response = await fetch(asked, { method, headers, body: sent, cache: 'no-store', credentials: 'omit' });
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    let body = text;
    // Indented only if that changes no value, such as the digits of a number.
    try { const value = JSON.parse(text); if (JSON.stringify(value) === text) body = pretty(value); } catch { /* as it came */ }
    const lines = [...response.headers].map(([name, value]) => element('tr', {}, element('td', {}, name), element('td', {}, value)));
    show(element('p', {}, element('span', { class: `status s${String(response.status)[0]}` }, `${response.status} ${response.statusText}`),
      element('span', { class: 'facts' }, `  ${took} ms, ${new TextEncoder().encode(text).length} bytes`)),
    element('table', { class: 'headers' }, lines), text ? element('pre', { class: 'body' }, body) : '');
  } catch (error) {
    show(element('p', { class: 'status s0' }, `No answer: ${error.message}. Is the stack up (cargo dev up), and does it allow this origin?`));
  } finally {
    button.disabled = false;
  }
};

const route = (path, item) => {
  const { get } = item;
  const secured = (get.security ?? []).length > 0;
  const parameters = [...(item.parameters ?? []), ...(get.parameters ?? [])].map(resolve);
  const methods = ['get', 'head'].filter((name) => item[name]).map((name) => name.toUpperCase());
  const rows = (of) => parameters.filter(of).map(parameterRow);
  const conditions = rows((parameter) => parameter.in === 'header');
  const method = element('select', { 'data-method': true, 'aria-label': 'Method' }, methods.map((name) => element('option', {}, name)));
  const form = element('form', {}, element('h3', {}, 'Parameters'), element('div', { class: 'parameters' }, rows((parameter) => parameter.in !== 'header')),
    element('details', {}, element('summary', {}, `${conditions.length} conditions, as request headers`), element('div', { class: 'parameters' }, conditions)),
    element('div', { class: 'actions' }, method, element('button', { type: 'submit' }, 'Try it')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form, path, secured);
  });
  return element('section', { id: get.operationId, 'data-route': path },
    element('h2', {}, methods.map((name) => element('span', { class: 'method' }, name)), element('span', { class: 'path' }, path),
      element('span', { class: 'tag' }, secured ? 'token' : 'public')),
    prose(get.description), form, element('div', { class: 'result', 'aria-live': 'polite' }),
    element('h3', {}, 'Responses'), Object.entries(get.responses).map(responseRow));
};

// An interface over all routes: a query and its variables, sent by POST.
const graphql = ({ name, schema, paths, query }) => {
  const path = element('select', { name: 'path', 'aria-label': 'Path' },
    paths.map(({ path, authorized }) => element('option', { value: path }, `${path}${authorized ? ' (token)' : ''}`)));
  const text = element('textarea', { name: 'query', rows: 14, spellcheck: 'false' }, query);
  const variables = element('textarea', { name: 'variables', rows: 2, spellcheck: 'false' }, '{}');
  const form = element('form', {}, element('label', {}, 'Query ', text), element('label', {}, 'Variables, as JSON ', variables),
    element('div', { class: 'actions' }, path, element('button', { type: 'submit' }, 'Send')));
  const result = element('div', { class: 'result', 'aria-live': 'polite' });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body = { query: text.value };
    try {
      body.variables = JSON.parse(variables.value.trim() || '{}');
    } catch (error) {
      result.replaceChildren(element('p', { class: 'status s0' }, `The variables are not JSON: ${error.message}`));
      return;
    }
    const headers = { 'Content-Type': 'application/json' };
    if (paths.find((entry) => entry.path === path.value).authorized) authorize(headers);
    deliver(form, path.value, '', { method: 'POST', headers, body: JSON.stringify(body) });
  });
  return element('section', { id: name, 'data-interface': name },
    element('h2', {}, element('span', { class: 'method' }, 'POST'), element('span', { class: 'path' }, 'GraphQL')),
    element('p', {}, 'All routes as one endpoint. Its types, fields and arguments: ', element('a', { href: schema }, 'schema.graphql')), form, result);
};

const begin = async () => {
  api = await (await fetch('/openapi.json')).json();
  const interfaces = await (await fetch('/interfaces.json')).json();
  document.title = `${api.info.title}: API reference`;
  $('title').textContent = api.info.title;
  $('version').textContent = `${api.info.version} · OpenAPI ${api.openapi}`;
  $('summary').textContent = api.info.summary ?? '';
  const routes = Object.entries(api.paths);
  const overview = element('section', { id: 'overview' }, element('h2', {}, 'Overview'), prose(api.info.description));
  $('main').replaceChildren(overview, ...routes.map(([path, item]) => route(path, item)), ...interfaces.map(graphql));
  $('nav').replaceChildren(element('a', { href: '#overview' }, 'Overview'), element('strong', {}, 'Routes'),
    ...routes.map(([path, item]) => element('a', { href: `#${item.get.operationId}` }, element('code', {}, path))),
    ...interfaces.map(({ name }) => element('a', { href: `#${name}` }, 'GraphQL')),
    element('strong', {}, 'Document'), element('a', { href: '/openapi.json' }, 'openapi.json'),
    ...interfaces.map(({ schema }) => element('a', { href: schema }, 'schema.graphql')));
  document.body.dataset.ready = 'true';
};
begin().catch((error) => $('main').replaceChildren(element('p', { class: 'status s0' }, `The document cannot be shown: ${error.message}`)));
