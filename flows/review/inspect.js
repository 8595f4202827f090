// The page of an inspection: one document, four answers, the next document. Each document is saved when it is left by Enter.
import './inspect_words.js';
import { $, announce, closeDialog, keyOf, openDialog, query, send, startPage, takeToken } from './client.js';
import { crumbs, doneView, helpView, readView, showDraft } from './inspect_views.js';
import { lockedView } from './views.js';
import { language, say } from './words.js';

const state = { view: '', sheet: null, at: 0, doc: null, drafts: new Map(), busy: false };  // drafts: place → answers not saved
const ask = (path, body) => send(path, body, { gone: say('gone'), stale: say('stale') });

const savedOf = (doc) => ({ yes: new Set(doc.yes), note: doc.note });
const draftOf = (doc) => state.drafts.get(doc.at) ?? savedOf(doc);
const isSame = (one, other) => one.note === other.note && one.yes.size === other.yes.size && [...one.yes].every((name) => other.yes.has(name));

const guard = (work) => async (...values) => {
  try { await work(...values); } catch (error) {
    if (error.status === 403) show('locked', lockedView(), null);
    else announce(error.message);
  }
};

function show(view, elements, at) {
  state.view = view;
  document.body.dataset.view = view;
  document.documentElement.lang = language.now;
  $('main').replaceChildren(...elements);
  $('crumbs').replaceChildren(...(state.sheet ? crumbs(state.sheet, at) : ['Malmoi']));
  $('skip').textContent = say('skip');
  $('language').textContent = say('other');
  $('reviewer').textContent = state.sheet?.reader ?? '';
  $('show-help').hidden = !state.sheet;
  document.title = state.sheet && at !== null ? `${at + 1} · ${say('title')}` : `${say('title')} · Malmoi`;
}

const start = guard(async () => {
  state.sheet = await ask('/api/sheet');
  await openNext(-1);
});

async function openDocument(at, whole) {
  if (at < 0 || at >= state.sheet.read.length) return;
  state.at = at;
  const found = await ask(query('/api/document', whole ? { at, whole: 1 } : { at }));
  if (state.at !== at) return;  // the person has moved on
  state.doc = found;
  showDocument();
  if (!whole) window.scrollTo(0, 0);
}

function showDocument() {
  const draft = draftOf(state.doc);
  show('read', readView(state.sheet, state.doc, draft, actions), state.at);
  showDraft(state.sheet, draft);
  $('main').focus({ preventScroll: true });
}

// The first document after `at` that is not read, from the start again if needed; or the end.
async function openNext(at) {
  const { read } = state.sheet;
  const later = read.findIndex((done, place) => place > at && !done);
  const next = later >= 0 ? later : read.indexOf(false);
  if (next >= 0) return openDocument(next);
  state.doc = null;
  state.at = read.length;
  show('done', doneView(state.sheet, actions), null);
}

function change(edit) {
  const draft = draftOf(state.doc);
  edit(draft);
  if (isSame(draft, savedOf(state.doc))) state.drafts.delete(state.doc.at); else state.drafts.set(state.doc.at, draft);
  showDraft(state.sheet, draft);
}

const toggle = (name, event) => {
  if (!state.doc) return;
  change((draft) => { if (!draft.yes.delete(name)) draft.yes.add(name); });
  if (event?.detail) $('main').focus({ preventScroll: true });  // a pointer: Enter is to save, not to toggle again
};

const save = guard(async () => {
  if (!state.doc || state.busy) return;
  const { at } = state.doc;
  const draft = draftOf(state.doc);
  if (state.doc.read && isSame(draft, savedOf(state.doc))) return openNext(at);
  state.busy = true;
  try {
    state.sheet = await ask('/api/answer', { at, yes: [...draft.yes], note: draft.note });
    state.drafts.delete(at);
    await openNext(at);
    announce('');
  } finally { state.busy = false; }
});

const undo = guard(async () => {
  if (state.busy) return;
  state.busy = true;
  try {
    state.sheet = await ask('/api/undo', {});
    state.drafts.delete(state.sheet.at);
    await openDocument(state.sheet.at);
    announce(say('undone'));
  } finally { state.busy = false; }
});

const move = (step) => guard(async () => { announce(''); await openDocument(state.at + step); });
const actions = { toggle, save, previous: move(-1), next: move(1), note: (words) => change((draft) => { draft.note = words.trim(); }), whole: guard(() => openDocument(state.at, true)) };

// ---- keys ---------------------------------------------------------------------------------------------------------

// A screen further, or on to the next document if the end of the text is on the screen.
function scrollOrSave() {
  const bar = document.querySelector('.ask').offsetHeight;
  const left = document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
  if (left > 4) window.scrollBy(0, Math.max(80, window.innerHeight - bar - 120)); else save();
}

const KEYS = {
  read: { Enter: save, ' ': scrollOrSave, j: actions.next, k: actions.previous, n: () => $('note').select(), w: actions.whole, u: undo, '?': showHelp },
  done: { k: actions.previous, u: undo, '?': showHelp },
};

function showHelp() {
  openDialog(...helpView(state.sheet, closeDialog));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $('dialog').open) return;
  if (event.target.matches('input')) {
    if (event.key === 'Escape' || event.key === 'Enter') { event.preventDefault(); $('main').focus({ preventScroll: true }); }
    return;
  }
  if (event.target.matches('button, a') && ['Enter', ' '].includes(event.key)) return;  // presses what has the focus
  const question = state.view === 'read' ? state.sheet.questions[Number(event.key) - 1] : undefined;
  const action = question ? () => toggle(question) : KEYS[state.view]?.[keyOf(event)];
  if (!action || (event.repeat && !['j', 'k', ' '].includes(keyOf(event)))) return;
  if (event.repeat && event.key === ' ' && document.documentElement.scrollHeight - window.scrollY - window.innerHeight <= 4) return;  // held down: it scrolls, and saves nothing
  event.preventDefault();
  action();
});

// ---- start --------------------------------------------------------------------------------------------------------

$('show-decisions').hidden = true;
startPage(() => { announce(''); if (state.doc) showDocument(); else start(); });
$('show-help').addEventListener('click', showHelp);
window.addEventListener('popstate', () => { takeToken(); start(); });
start();
