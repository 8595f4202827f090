// Build the views of an inspection as elements; texts are only ever text nodes.
import { archived, button, el, number } from './views.js';
import { say } from './words.js';

export function readView(sheet, doc, draft, actions) {
  const labels = doc.labels.map(([name, value]) => `${say(name)} ${value}`);
  const facts = [doc.date, say('characters', number(doc.characters)), ...labels].filter(Boolean);
  return [
    el('article', { class: 'reading', 'aria-labelledby': 'title' },
      archived('h1', doc.title || say('noTitle'), { id: 'title', class: doc.title ? '' : 'soft' }),
      el('p', { class: 'facts' }, el('b', {}, doc.source), el('span', {}, doc.licence), ...facts.map((one) => el('span', { class: 'tag' }, one))),
      archived('p', doc.url || doc.id, { class: 'address' }),
      ...doc.passages.flatMap((part) => [part.skipped ? gapView(part.skipped, actions) : null, textView(part.text)]).filter(Boolean),
      doc.cut ? el('p', { class: 'soft' }, say('rest', number(doc.cut))) : null),
    askView(sheet, doc, draft, actions),
  ];
}

function gapView(skipped, actions) {
  return el('p', { class: 'gap' }, el('span', {}, say('skipped', number(skipped))), button(say('whole'), 'w', actions.whole));
}

// Paragraphs of prose in the width of a column, close together where no blank line is between them; code and tables in lines as they are.
function textView(text) {
  const found = [];
  let block = null;  // lines of code or of a table
  let fenced = false;
  let isTight = false;
  for (const line of text.split('\n')) {
    const isFence = line.trimStart().startsWith('```');
    if (fenced || isFence || line.startsWith('|')) {
      if (!block) found.push(el('pre', { lang: 'ko', dir: 'auto' }, block = new Text()));
      block.data += block.data ? `\n${line}` : line;
      if (isFence) fenced = !fenced;
      continue;
    }
    block = null;
    if (line.trim()) found.push(archived('p', line, { class: `${/^#{1,6} /.test(line) ? 'heading' : ''}${isTight ? ' tight' : ''}` }));
    isTight = line.trim() !== '';
  }
  return el('div', { class: 'prose' }, ...found);
}

function askView(sheet, doc, draft, actions) {
  const toggles = sheet.questions.map((name, at) => el('button', { type: 'button', id: `q-${name}`, 'aria-pressed': String(draft.yes.has(name)), 'aria-keyshortcuts': String(at + 1), title: say(`more-${name}`), onclick: (event) => actions.toggle(name, event) },
    el('kbd', { 'aria-hidden': 'true' }, String(at + 1)), el('span', {}, say(name), el('small', {}, say(`about-${name}`)))));
  const note = el('input', { id: 'note', value: draft.note, maxlength: '500', placeholder: say('noteHelp'), 'aria-label': say('note'), 'aria-keyshortcuts': 'n', autocomplete: 'off', oninput: (event) => actions.note(event.target.value) });
  return el('footer', { class: 'ask' },
    el('div', { class: 'questions', role: 'group', 'aria-label': say('questions') }, ...toggles),
    el('div', { class: 'go' }, button(say('back'), 'k', actions.previous, 'plain'), note, el('button', { type: 'button', id: 'save', class: 'grant', 'aria-keyshortcuts': 'Enter', onclick: actions.save })));
}

// The button that saves says what it saves.
export function showDraft(sheet, draft) {
  for (const name of sheet.questions) document.getElementById(`q-${name}`).setAttribute('aria-pressed', String(draft.yes.has(name)));
  document.getElementById('save').replaceChildren(draft.yes.size ? say('save') : say('none'), el('kbd', { 'aria-hidden': 'true' }, 'Enter'));
}

export function crumbs(sheet, at) {
  const read = sheet.read.filter(Boolean).length;
  const count = sheet.read.length;
  const words = say('leftToRead', number(count - read));
  return [el('b', {}, `${sheet.release} ${sheet.version}`), at === null ? null : el('span', {}, say('place', number(at + 1), number(count))),
    el('span', { class: 'progress' }, el('progress', { max: count, value: read, 'aria-label': words }), el('span', { class: 'soft' }, words))].filter(Boolean);
}

export function doneView(sheet, actions) {
  const count = sheet.read.length;
  return [el('section', { class: 'notice' }, el('h1', {}, say('done')), el('p', {}, say('doneMore', sheet.sheet)), el('p', {}, el('code', {}, sheet.command)),
    el('dl', { class: 'sums' }, ...sheet.questions.map((name) => el('div', {}, el('dt', {}, say(name)), el('dd', {}, say('yes', number(sheet.found[name]), number(count)))))),
    el('div', { class: 'decide' }, button(say('back'), 'k', actions.previous)))];
}

export function helpView(sheet, close) {
  const keys = [['1 2 3 4', 'h1'], ['Enter', 'h2'], ['Space', 'h3'], ['u', 'h4'], ['j k', 'h5'], ['n', 'h6'], ['w', 'h7'], ['?', 'h8']];
  const row = (press, words) => el('div', {}, el('dt', {}, ...press.split(' ').map((one) => el('kbd', {}, one))), el('dd', {}, words));
  return [el('h2', { id: 'dialog-title' }, say('help')), el('dl', { class: 'keys' }, ...keys.map(([press, words]) => row(press, say(words)))),
    el('h2', {}, say('questions')), el('dl', { class: 'keys' }, ...sheet.questions.map((name, at) => row(String(at + 1), `${say(name)}. ${say(`more-${name}`)}`))),
    el('div', { class: 'decide' }, button(say('close'), '', close))];
}
