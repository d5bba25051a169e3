"use strict";

const byId = (id) => document.getElementById(id);

/** Numbers as people read them. */
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const count = (number) => whole.format(number ?? 0);
const files = (number) => `${count(number)} ${number === 1 ? "file" : "files"}`;

function rate(number) {
  return number >= 100 ? whole.format(number) : short.format(number);
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const at = Math.min(Math.floor(Math.log2(Math.max(number, 1)) / 10), units.length - 1);
  return `${short.format(number / 1024 ** at)} ${units[at]}`;
}

function span(seconds) {
  if (seconds < 0.0005) return "0 s";
  if (seconds < 0.1) return `${short.format(seconds * 1000)} ms`;
  if (seconds < 60) return `${short.format(seconds)} s`;
  const [minutes, hours, days] = [Math.round(seconds / 60), Math.round(seconds / 3600), seconds / 86400];
  if (minutes < 60) return `${minutes} min`;
  if (hours < 48) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${short.format(days)} days`;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
const share = (part, all) => (all > 0 ? part / all : 0);
const percent = (part) => `${Math.floor(part * 100)}\u00a0%`;

/** Makes what would hide or turn a text around visible: names of files may hold anything. */
function plain(text) {
  const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
  return String(text).replace(hidden, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}

/** Sets a text where it has changed, so that what is selected or read aloud stays undisturbed. */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const say = (id, text) => put(byId(id), text);

/** A new element. Texts only ever become text. */
function make(name, attributes = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
}

function setTone(node, tone) {
  if (!tone) node.removeAttribute("data-tone");
  else if (node.getAttribute("data-tone") !== tone) node.setAttribute("data-tone", tone);
}

/**
 * Keeps one child for each item, by its key and in this order. A child that stays is the same element, so that
 * the focus, and what is unfolded, stay too.
 */
function keep(parent, items, keyOf, begin, fill) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, at) => {
    const key = String(keyOf(item));
    let child = known.get(key);
    if (!child) {
      child = begin(item);
      child.dataset.key = key;
    }
    known.delete(key);
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
    fill(child, item);
  });
  for (const child of known.values()) child.remove();
}

/** A list of figures: [name, value, tone]. */
function figures(id, list) {
  const begin = ([name]) => make("div", {}, make("dt", {}, name), make("dd"));
  keep(byId(id), list, ([name]) => name, begin, (child, [, value, tone]) => {
    put(child.lastChild, value);
    setTone(child.lastChild, tone);
  });
}

/** Rows of a table: {key, head, sub, cells: [[text, class, tone]]}. */
function rows(id, list) {
  const begin = (row) => {
    const head = make("th", { scope: "row" }, make("span"), make("span", { class: "sub" }));
    return make("tr", {}, head, ...row.cells.map(([, kind]) => make("td", kind ? { class: kind } : {})));
  };
  keep(byId(id), list, (row) => row.key, begin, (child, row) => {
    put(child.firstChild.firstChild, plain(row.head));
    put(child.firstChild.lastChild, plain(row.sub ?? ""));
    row.cells.forEach(([text, , tone], at) => {
      const cell = child.children[at + 1];
      put(cell, plain(text));
      setTone(cell, tone);
    });
  });
}
