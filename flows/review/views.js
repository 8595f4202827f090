// Build the views as elements. Archived words are only ever text nodes: nothing here parses HTML.
import { language, nameOf, say } from './words.js';

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((one) => one !== null && one !== undefined));
  return made;
}

export function button(words, key, action, kind = '') {
  return el('button', { type: 'button', class: kind, 'aria-keyshortcuts': key, onclick: action }, words, key ? el('kbd', { 'aria-hidden': 'true' }, key) : null);
}

export const number = (count) => count.toLocaleString(language.now);
export const archived = (tag, text, props = {}, ...more) => el(tag, { lang: 'ko', dir: 'auto', ...props }, text, ...more);

function progress(read, count) {
  const words = read === count && count ? say('readAll', number(count)) : say('read', number(read), number(count));
  return el('span', { class: 'progress' }, el('progress', { max: count, value: read, 'aria-label': words }), el('span', {}, words));
}

export function lockedView() {
  return [el('section', { class: 'notice' }, el('h1', {}, say('title')), el('p', {}, say('locked')))];
}

export function listView(groups, filter, actions) {
  const items = groups.reduce((sum, one) => sum + one.count, 0);
  if (!groups.length) {
    return [el('section', { class: 'notice' }, el('h1', {}, say('empty')), el('p', {}, say('emptyMore')), el('p', { class: 'soft' }, say('documents')))];
  }
  const search = el('input', { type: 'search', id: 'filter', value: filter, placeholder: say('filter'), 'aria-label': say('filter'), 'aria-keyshortcuts': '/', oninput: (event) => actions.filter(event.target.value) });
  const found = el('div', { id: 'groups' });
  const view = [el('div', { class: 'head' }, el('h1', {}, say('title')), el('p', { class: 'soft' }, say('left', number(items), number(groups.length))), search), found];
  fillGroups(found, groups, filter, actions);
  return view;
}

export function fillGroups(place, groups, filter, actions) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const hay = (one) => [one.source, one.licence, one.kind, nameOf(one.kind), one.place, ...one.reasons, ...one.reasons.map(nameOf)].join(' ').toLowerCase();
  const kept = groups.filter((one) => words.every((word) => hay(one).includes(word)));
  const sources = [...new Set(kept.map((one) => one.source))];
  place.replaceChildren(...sources.map((source) => {
    const own = kept.filter((one) => one.source === source);
    return el('section', { 'aria-label': source }, el('h2', {}, source, el('small', {}, say('items', number(own.reduce((sum, one) => sum + one.count, 0))))), el('ul', { class: 'rows' }, ...own.map((one) => el('li', {}, groupRow(one, actions)))));
  }));
  if (!kept.length) place.append(el('p', { class: 'soft' }, say('nothing')));
}

function groupRow(one, actions) {
  return el('button', { type: 'button', class: 'row', 'data-key': one.key, onclick: () => actions.open(one.key) },
    el('span', { class: 'what' }, el('b', {}, one.licence || say('noLicence')), el('span', { class: 'soft' }, nameOf(one.kind), one.place ? ` ${say('at')} ` : '', one.place ? el('code', {}, one.place) : null)),
    el('span', { class: 'why' }, ...one.reasons.map((reason) => el('span', { class: 'tag' }, nameOf(reason)))),
    el('span', { class: 'count' }, el('b', {}, say('items', number(one.count))), progress(one.read, one.count)));
}

export function groupView(group, actions) {
  const facts = [
    ['source', group.source], ['licence', el('span', {}, el('b', {}, group.licence || say('noLicence')), group.name ? el('small', { class: 'soft' }, group.name) : null)], ['use', [say(group.grantable ? group.use : 'exclude'), ...group.terms.map((one) => say(one))].join(', ')],
    ['kind', nameOf(group.kind)], ['place', group.place ? el('code', {}, group.place) : '–'],
    ['reasons', el('span', {}, ...group.reasons.map((reason) => el('span', { class: 'tag' }, nameOf(reason))))],
  ];
  return [
    el('section', { class: 'found', 'aria-label': say('found') },
      el('dl', {}, ...facts.map(([name, value]) => el('div', { class: `f-${name}` }, el('dt', {}, say(name)), el('dd', {}, value)))),
      el('div', { class: 'decide' },
        group.grantable ? button(say('grantAll', group.licence, number(group.count)), 'g', actions.grantShape, 'grant') : el('p', { class: 'soft' }, say('cannot')),
        button(say('denyAll', number(group.count)), 'x', actions.denyShape, 'deny'), button(say('addresses'), 'a', actions.byAddress), el('span', { id: 'progress' }, progress(group.read, group.count)))),
    el('div', { class: 'work' }, el('nav', { class: 'list', 'aria-label': say('items', number(group.count)) }, el('p', { class: 'soft' }, say('order')), el('ol', { id: 'items' })), el('article', { id: 'item', 'aria-live': 'polite' })),
  ];
}

export function showProgress(read, count) {
  document.getElementById('progress').replaceChildren(progress(read, count));
}

export function itemRows(items, start, actions) {
  return items.map((one, at) => el('li', {}, el('button', { type: 'button', class: one.read ? 'read' : '', 'data-at': start + at, onclick: () => actions.show(start + at) }, archived('span', one.title, { class: 'title' }), archived('small', one.url))));
}

export function itemView(item, at, count, actions) {
  const marks = item.snippets.map((one, index) => snippetView(one, index));
  return [
    el('header', {}, el('div', {}, archived('h1', item.title), archived('p', item.url, { class: 'address' })),
      el('div', { class: 'step' }, button(say('previous'), 'k', actions.previous), el('span', { class: 'soft' }, say('number', number(at + 1), number(count))), button(say('next'), 'j', actions.next))),
    el('div', { class: 'pair' },
      el('section', { class: 'pane', tabindex: '0', 'aria-label': say('archived') }, el('h2', {}, say('archived')), item.signals.length ? signalList(item.signals) : null, ...(marks.length ? marks : [el('p', { class: 'soft' }, say('noMarks'))])),
      el('section', { class: 'pane', tabindex: '0', 'aria-label': say('text') }, el('h2', {}, say('text')), archived('div', item.text, { class: 'text' }), item.text ? null : el('p', { class: 'soft' }, say('noText')), item.cut ? el('p', { class: 'soft' }, say('cut', number(item.cut))) : null)),
    el('footer', {}, button(say('grantItem'), 'i', actions.grantItem, 'grant quiet'), button(say('denyItem'), 'X', actions.denyItem, 'deny quiet')),
  ];
}

function snippetView(one, index) {
  const passages = one.passages.length ? one.passages : [{ before: '', mark: one.quote, after: '', view: 'text' }];
  return el('section', { class: 'mark' },
    el('h3', {}, say('evidence', index + 1), ' ', el('b', {}, one.licence), el('span', { class: 'soft' }, ` ${nameOf(one.kind)}, ${nameOf(one.scope)}`)),
    el('p', { class: 'soft where' }, el('code', {}, one.place), ` ${say(`o-${one.outcome}`)}`, one.detail ? ` ${one.detail}` : ''),
    ...passages.map((part) => archived('blockquote', part.before, { class: part.view }, el('mark', {}, part.mark), part.after)));
}

function signalList(signals) {
  const rank = (one) => (one.effect === 'review' ? 0 : 1);
  const shown = [...signals].sort((one, other) => rank(one) - rank(other));
  return el('section', { class: 'mark' }, el('h3', {}, say('signals')), ...shown.map((one) => el('div', {}, el('p', { class: 'where' }, el('b', {}, nameOf(one.name)), one.effect === 'review' ? null : ` (${one.effect})`, one.place ? ' ' : null, one.place ? el('code', {}, one.place) : null), one.quote ? archived('q', one.quote) : null)));
}

export function decisionsView(decisions, actions) {
  const rows = decisions.map((one) => el('li', { class: one.revoked ? 'revoked' : '' },
    el('div', {}, el('b', { class: one.verdict }, say(one.verdict), ' ', one.licence ?? ''), ' ', el('code', {}, one.value), one.revoked ? el('span', { class: 'tag' }, say('revoked')) : null),
    el('p', {}, one.reason, el('span', { class: 'soft' }, ` ${one.reviewer}, ${one.date}`)),
    one.revoked ? null : button(say('revoke'), '', () => actions.revoke(one))));
  return [el('div', { class: 'head' }, el('h1', {}, say('decisions')), el('p', { class: 'soft' }, say('documents'))), rows.length ? el('ul', { class: 'decisions' }, ...rows) : el('p', { class: 'soft' }, say('noDecisions'))];
}

export function helpView(close) {
  const keys = [['j k ↓ ↑', 'k1'], ['Enter', 'k2'], ['g x', 'k3'], ['i X', 'k4'], ['a', 'k5'], ['u', 'k6'], ['/', 'k7'], ['Esc', 'k8'], ['l', 'k9'], ['?', 'k10'], ['Enter Esc', 'k11']];
  return [el('h2', { id: 'dialog-title' }, say('help')), el('dl', { class: 'keys' }, ...keys.map(([press, words]) => el('div', {}, el('dt', {}, ...press.split(' ').map((one) => el('kbd', {}, one))), el('dd', {}, say(words))))), el('div', { class: 'decide' }, button(say('close'), '', close))];
}

// The form of a decision. `plan`: verdict, target, licence, licences, all, count, read, prefix; the caller reads it back.
export function confirmView(plan, person, actions) {
  const isGrant = plan.verdict === 'grant';
  const name = el('input', { name: 'reviewer', value: person.reviewer, required: true, maxlength: '200', autocomplete: 'off' });
  const reason = el('input', { name: 'reason', value: person.reason, required: true, maxlength: '240', autocomplete: 'off' });
  const fixed = plan.target === 'shape';
  const title = plan.target === 'revoke' ? say('confirmRevoke') : fixed ? say(isGrant ? 'confirmGrant' : 'confirmDeny', plan.licence, number(plan.count), plan.source) : say(`${plan.verdict}-${plan.target}`, plan.source);
  const option = (id) => el('option', { value: id, selected: id === plan.licence }, id);
  const licence = isGrant && !fixed ? el('select', { name: 'licence', required: true }, plan.licence ? null : el('option', { value: '' }, ''), ...[...new Set([...plan.licences, ...plan.all])].map(option)) : null;
  const prefix = plan.target === 'addresses' ? el('input', { name: 'prefix', value: plan.prefix, required: true, oninput: actions.match }) : null;
  const field = (label, input, help) => el('label', {}, el('span', {}, label), input, help ? el('small', { class: 'soft' }, help) : null);
  const reads = plan.target === 'shape' ? (plan.read ? say('youRead', number(plan.read)) : say('youReadNone')) : null;
  const target = { shape: () => say('toShape'), item: () => say('toItem'), addresses: () => say('toAddresses'), revoke: () => say('revokeMore') }[plan.target]();
  return el('form', { class: plan.verdict, onsubmit: actions.submit },
    el('h2', { id: 'dialog-title' }, title),
    el('p', {}, target, ' ', reads ? el('span', { class: plan.read ? '' : 'warn' }, reads) : null),
    plan.target === 'addresses' ? el('div', { class: 'verdict', role: 'radiogroup' }, ...['grant', 'deny'].map((one) => el('label', {}, el('input', { type: 'radio', name: 'verdict', value: one, checked: one === plan.verdict, onchange: () => actions.verdict(one) }), say(one)))) : null,
    prefix ? field(say('prefix'), prefix) : null, prefix ? el('p', { id: 'matches', role: 'status' }) : null,
    plan.shown ? archived('p', plan.shown, { class: 'shown' }) : null,
    licence ? field(say('licence'), licence) : null,
    field(say('who'), name, say('whoHelp')), field(say('why'), reason),
    el('div', { class: 'decide' }, el('button', { type: 'submit', class: isGrant ? 'grant' : 'deny', id: 'confirm' }, say('confirm'), el('kbd', { 'aria-hidden': 'true' }, 'Enter')), button(say('cancel'), 'Esc', actions.cancel)));
}
