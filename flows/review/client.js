// Shared by the pages: requests, messages, dialog, language. The secret comes in the fragment of the address and goes into a header.
import { language } from './words.js';

export const $ = (id) => document.getElementById(id);
export const store = window.sessionStorage;

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

// Send a GET, or a POST with a JSON body; `words`: what a person reads if the server is gone, or has changed (409).
export async function send(path, body, words) {
  const headers = { 'X-Malmoi-Review': store.getItem('token') ?? '' };
  const call = body ? { method: 'POST', body: JSON.stringify(body), headers: { ...headers, 'Content-Type': 'application/json' } } : { headers };
  let answer;
  try { answer = await fetch(path, call); } catch { throw new Refused(0, words.gone); }
  const found = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, answer.status === 409 ? words.stale : found.message);
  return found;
}

export const query = (path, values) => `${path}?${new URLSearchParams(values)}`;

export function announce(words, action) {
  $('said').replaceChildren(words, ...(action ? [' ', action] : []));
  $('said').hidden = !words;
}

export function openDialog(...elements) {
  $('dialog').replaceChildren(...elements);
  if (!$('dialog').open) $('dialog').showModal();
}

export function closeDialog() {
  if ($('dialog').open) $('dialog').close();
}

// The same keys of a Korean keyboard.
const KOREAN = { ㅓ: 'j', ㅏ: 'k', ㅎ: 'g', ㅌ: 'x', ㅑ: 'i', ㅁ: 'a', ㅕ: 'u', ㅣ: 'l', ㅜ: 'n', ㅈ: 'w' };

export const keyOf = (event) => KOREAN[event.key] ?? event.key;

export function takeToken() {
  if (!location.hash.startsWith('#token=')) return;
  store.setItem('token', location.hash.slice('#token='.length));
  history.replaceState(null, '', '/#/');
}

// Take the secret, choose the language, and connect what every page has; `again` shows the view in the other language.
export function startPage(again) {
  takeToken();
  language.now = store.getItem('language') ?? (navigator.language.startsWith('ko') ? 'ko' : 'en');
  $('language').addEventListener('click', () => {
    language.now = language.now === 'ko' ? 'en' : 'ko';
    store.setItem('language', language.now);
    again();
  });
  $('skip').addEventListener('click', (event) => { event.preventDefault(); $('main').focus(); });
}
