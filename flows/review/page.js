// The review page: routes, keys and decisions.
import { $, announce, closeDialog, keyOf, openDialog, query, send, startPage, store, takeToken } from './client.js';
import { button, confirmView, decisionsView, el, fillGroups, groupView, helpView, itemRows, itemView, listView, lockedView, showProgress } from './views.js';
import { language, say } from './words.js';

const person = { reviewer: store.getItem('reviewer') ?? '', reason: store.getItem('reason') ?? '' };
const made = JSON.parse(store.getItem('made') ?? '[]');  // ids of the decisions of this tab, for undo
const state = { view: '', groups: [], licences: [], filter: '', cursor: '', group: null, items: [], at: 0, item: null, busy: false };

const ask = (path, body) => send(path, body, { gone: say('gone'), stale: say('stale') });

// ---- routes -------------------------------------------------------------------------------------------------------

async function route() {
  const [name, key] = location.hash.slice(2).split('/');
  closeDialog();
  try {
    if (name === 'group') await openGroup(decodeURIComponent(key));
    else if (name === 'decisions') await openDecisions();
    else await openList();
  } catch (error) {
    if (error.status === 403) show('locked', lockedView());
    else if (error.status === 409 && name === 'group') { await go('#/'); announce(error.message); }
    else announce(error.message);
  }
}

async function go(hash) {
  history.pushState(null, '', hash);
  await route();
}

function show(view, elements) {
  state.view = view;
  document.body.dataset.view = view;
  document.documentElement.lang = language.now;
  $('main').replaceChildren(...elements);
  const group = view === 'group' ? state.group : null;
  $('crumbs').replaceChildren(el('a', { href: '#/' }, view === 'list' ? 'Malmoi' : `← ${say('back')}`), ...(group ? [el('span', { class: 'soft' }, group.source)] : []));
  $('skip').textContent = say('skip');
  $('language').textContent = say('other');
  $('show-decisions').textContent = say('decisions');
  $('reviewer').textContent = person.reviewer;
  document.title = group ? `${group.source} · ${say('title')}` : `${say('title')} · Malmoi`;
}

async function openList() {
  const found = await ask('/api/groups');
  Object.assign(state, { groups: found.groups, licences: found.licences, group: null, item: null });
  show('list', listView(state.groups, state.filter, listActions));
  moveCursor(0);
}

async function openGroup(key) {
  if (!state.licences.length) state.licences = (await ask('/api/groups')).licences;
  const found = await ask(query('/api/items', { group: key, start: 0 }));
  const same = state.view === 'group' && state.group?.key === key;
  const id = same ? state.items[state.at]?.id : null;
  Object.assign(state, { group: found.group, items: found.items, item: null });
  show('group', groupView(state.group, groupActions));
  $('main').focus();
  fillItems();
  const at = state.items.findIndex((one) => one.id === id);
  await showItem(at >= 0 ? at : Math.min(same ? state.at : 0, state.items.length - 1));
}

async function openDecisions() {
  show('decisions', decisionsView((await ask('/api/decisions')).decisions, { revoke: (one) => confirm({ verdict: 'deny', target: 'revoke', id: one.id, shown: one.value }) }));
}

// ---- list and items -----------------------------------------------------------------------------------------------

const listActions = {
  open: (key) => { state.cursor = key; announce(''); go(`#/group/${encodeURIComponent(key)}`); },
  filter: (words) => { state.filter = words; fillGroups($('groups'), state.groups, words, listActions); moveCursor(0, false); },
};

function moveCursor(step, focus = true) {
  const rows = [...document.querySelectorAll('.row')];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.dataset.key === state.cursor);
  const next = Math.max(0, Math.min(rows.length - 1, Math.max(now, 0) + step));
  state.cursor = rows[next].dataset.key;
  rows.forEach((row, at) => row.classList.toggle('now', at === next));
  if (focus) rows[next].focus();
}

function fillItems() {
  $('items').replaceChildren(...itemRows(state.items, 0, groupActions));
  if (state.items.length < state.group.count) $('items').append(el('li', {}, button(say('more'), '', loadMore)));
}

async function loadMore() {
  const found = await ask(query('/api/items', { group: state.group.key, start: state.items.length }));
  state.items.push(...found.items);
  fillItems();
}

async function showItem(at) {
  const group = state.group;
  if (at >= state.items.length && state.items.length < group.count) await loadMore();
  if (at < 0 || at >= state.items.length) return;
  state.at = at;
  const found = await ask(query('/api/item', { group: group.key, id: state.items[at].id }));
  if (state.group !== group || state.at !== at) return;  // the person has moved on
  state.item = found;
  state.items[at].read = true;
  group.read = found.read;
  $('item').replaceChildren(...itemView(found, at, group.count, groupActions));
  showProgress(found.read, group.count);
  for (const row of $('items').querySelectorAll('[data-at]')) {
    const isNow = Number(row.dataset.at) === at;
    row.classList.toggle('now', isNow);
    if (isNow) { row.classList.add('read'); row.setAttribute('aria-current', 'true'); row.scrollIntoView({ block: 'nearest' }); } else row.removeAttribute('aria-current');
  }
}

const guard = (work) => async (...values) => {
  try { await work(...values); } catch (error) {
    announce(error.message);
    if (error.status === 409) { const words = error.message; await route(); announce(words); }
  }
};

const groupActions = {
  show: guard(showItem), next: guard(() => showItem(state.at + 1)), previous: guard(() => showItem(state.at - 1)),
  grantShape: () => state.group.grantable && confirm({ ...shapePlan(), verdict: 'grant', licence: state.group.licence }),
  denyShape: () => confirm({ ...shapePlan(), verdict: 'deny' }),
  grantItem: () => state.item && confirm({ ...itemPlan(), verdict: 'grant' }),
  denyItem: () => state.item && confirm({ ...itemPlan(), verdict: 'deny' }),
  byAddress: () => confirm({ ...choice(), target: 'addresses', verdict: 'grant', prefix: commonPrefix(state.items.map((one) => one.url)) }),
};

const shapePlan = () => ({ target: 'shape', value: state.group.key, licence: state.group.licence, count: state.group.count, read: state.group.read, digest: state.group.digest, licences: [], all: [] });
const itemPlan = () => ({ ...choice(), target: 'item', value: state.item.id, count: 1, digest: state.item.digest, shown: state.item.title });

function choice() {
  const named = state.item?.licences ?? [];
  return { licence: state.group.grantable ? state.group.licence : named[0] ?? '', licences: named, all: state.licences };
}

function commonPrefix(addresses) {
  let common = addresses[0] ?? '';
  for (const one of addresses) while (!one.startsWith(common)) common = common.slice(0, -1);
  return common.slice(0, common.lastIndexOf('/') + 1);
}

// ---- decisions ----------------------------------------------------------------------------------------------------

function confirm(plan) {
  const dialog = $('dialog');
  plan.group = state.group?.key;
  plan.source = state.group?.source;
  const match = async () => {
    const prefix = dialog.querySelector('[name=prefix]').value;
    Object.assign(plan, { value: prefix, count: 0, digest: '', prefix });
    const found = await ask(query('/api/addresses', { group: plan.group, prefix })).catch((error) => error);
    if (prefix !== dialog.querySelector('[name=prefix]')?.value) return;
    if (found instanceof Error) return $('matches').replaceChildren(found.message);
    Object.assign(plan, { count: found.count, digest: found.digest });
    $('matches').replaceChildren(say('matches', found.count), ...found.some.map((one) => el('small', { dir: 'auto' }, one)));
  };
  const actions = { cancel: closeDialog, submit: (event) => { event.preventDefault(); decide(plan, new FormData(event.target)); }, match, verdict: (verdict) => { keep(new FormData(dialog.querySelector('form'))); confirm({ ...plan, verdict }); } };
  openDialog(confirmView(plan, person, actions));
  const empty = [...dialog.querySelectorAll('input:not([type=radio]), select')].find((one) => !one.value);
  (empty ?? (plan.target === 'addresses' ? dialog.querySelector('[name=prefix]') : $('confirm'))).focus();
  if (plan.target === 'addresses') match();
}

function keep(form) {
  for (const name of ['reviewer', 'reason']) { person[name] = form.get(name).trim(); store.setItem(name, person[name]); }
}

const decide = guard(async (plan, form) => {
  if (state.busy || (plan.target === 'addresses' && !plan.count)) return;  // nothing matches, or it is being counted
  keep(form);
  state.busy = true;
  try {
    if (plan.target === 'revoke') {
      await ask('/api/revoke', { id: plan.id, ...person });
      closeDialog();
      await route();
      return announce(say('undone'));
    }
    const licence = form.get('licence') ?? plan.licence ?? '';
    const { verdict, target, value, group, count, digest } = plan;
    const found = await ask('/api/decide', { verdict, target, value, group, count, digest, licence, ...person });
    made.push(found.id);
    store.setItem('made', JSON.stringify(made));
    closeDialog();
    const words = verdict === 'grant' ? say('doneGrant', licence, found.count) : say('doneDeny', found.count);
    await leaveDecided();
    announce(words, button(say('undo'), 'u', undo));
  } finally { state.busy = false; }
});

async function leaveDecided() {
  const left = (await ask('/api/groups')).groups;
  const stays = left.some((one) => one.key === state.group?.key);
  await (stays ? route() : go('#/'));
}

const undo = guard(async () => {
  const id = made.at(-1);
  if (!id) return announce(say('nothingToUndo'));
  if (state.busy) return;
  state.busy = true;
  try {
    await ask('/api/revoke', { id, reviewer: person.reviewer, reason: say('undoReason') });
  } finally {
    state.busy = false;
    made.pop();
    store.setItem('made', JSON.stringify(made));
  }
  await route();
  announce(say('undone'));
});

// ---- keys ---------------------------------------------------------------------------------------------------------

const KEYS = {
  list: { j: () => moveCursor(1), k: () => moveCursor(-1), ArrowDown: () => moveCursor(1), ArrowUp: () => moveCursor(-1), '/': () => $('filter').select() },
  group: { j: groupActions.next, k: groupActions.previous, ArrowDown: groupActions.next, ArrowUp: groupActions.previous, g: groupActions.grantShape, x: groupActions.denyShape, i: groupActions.grantItem, X: groupActions.denyItem, a: groupActions.byAddress, Escape: () => go('#/') },
  decisions: { Escape: () => go('#/') },
};
const ANYWHERE = { u: undo, l: () => go('#/decisions'), '?': showHelp };

function showHelp() {
  openDialog(...helpView(closeDialog));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $('dialog').open) return;
  const isTyping = event.target.matches('input, select, textarea');
  if (isTyping) {
    if (event.key === 'Escape' || event.key === 'Enter') { event.preventDefault(); event.target.blur(); if (state.view === 'list') moveCursor(0); }
    return;
  }
  if (event.key.startsWith('Arrow') && event.target.closest('.pane')) return;  // scrolls the pane
  const key = keyOf(event);
  const action = KEYS[state.view]?.[key] ?? (state.view === 'locked' ? null : ANYWHERE[key]);
  const isMove = ['j', 'k', 'ArrowDown', 'ArrowUp'].includes(key);
  if (!action || (event.repeat && !isMove)) return;
  event.preventDefault();
  action();
});

// ---- start --------------------------------------------------------------------------------------------------------

startPage(() => { announce(''); route(); });
$('show-decisions').addEventListener('click', () => go('#/decisions'));
$('show-help').addEventListener('click', showHelp);
window.addEventListener('popstate', () => { takeToken(); route(); });  // also when a person edits the address
document.addEventListener('visibilitychange', () => { if (!document.hidden && state.view === 'list' && !$('dialog').open) route(); });
route();
