// The board's live part: rows from the server's event stream, the filter, and an honest word when neither is current.
import { both, now, serverSaid, show, stamp } from "./age.js";

const board = document.getElementById("board");
const banner = document.getElementById("banner");
const pulse = document.getElementById("pulse");
const pause = document.getElementById("pause");
const judged = document.getElementById("judged");
const query = document.getElementById("q");
const shown = document.getElementById("shown");
const form = query.form;

const BEAT_MS = 5000; // the server says at least this often that it lives
const LATE_MS = 2 * BEAT_MS;
let token = board.dataset.token;
let judgedAt = Number(board.dataset.at);
let heardAt = now();
let stream = null;
let isPaused = false;
let state = form.elements.state ? form.elements.state.value : "";

function showIncidents(open) {
  for (const link of document.querySelectorAll("[data-incidents]")) {
    const count = open[link.dataset.incidents] ?? 0;
    link.querySelector("b").textContent = count;
    link.parentElement.hidden = count === 0;
  }
}

// --- rows ---------------------------------------------------------------------------------------------------------

const rank = (section) => Math.max(0, ...[...section.querySelectorAll(".site")].map((row) => Number(row.dataset.state)));
const byId = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const compareRows = (a, b) => b.dataset.state - a.dataset.state || byId(a.dataset.site, b.dataset.site);
const compareHubs = (a, b) => rank(b) - rank(a) || (a.dataset.hub === "") - (b.dataset.hub === "") || byId(a.dataset.hub, b.dataset.hub);

// Moves only what stands in the wrong place, so that focus and reading position stay where they are.
function order(parent, children, compare) {
  let place = children[0];
  for (const child of [...children].sort(compare)) {
    if (child === place) {
      place = place.nextElementSibling;
      continue;
    }
    const focused = child.contains(document.activeElement) ? document.activeElement : null;
    parent.insertBefore(child, place);
    focused?.focus({ preventScroll: true });
  }
}

function replaceRow(site, html) {
  const old = document.getElementById(`site-${site}`);
  const holder = document.createElement("template");
  holder.innerHTML = `<table>${html}</table>`;
  const row = holder.content.querySelector("tbody");
  if (!old || !row) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const changed = old.dataset.state !== row.dataset.state;
  old.replaceWith(row);
  row.classList.toggle("fresh", changed);
  if (focused) [...row.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
}

function seen(site, ms) {
  const element = document.querySelector(`#site-${CSS.escape(site)} .c-age time`);
  if (!element || ms === null) return;
  element.dataset.at = ms;
  element.dateTime = new Date(ms).toISOString();
  element.title = both(ms, element.dataset.zone);
  show(element);
}

function take(change) {
  for (const [site, html] of Object.entries(change.rows)) replaceRow(site, html);
  for (const [site, ms] of Object.entries(change.seen)) seen(site, ms);
  change.counts.forEach((count, code) => {
    document.querySelectorAll(`[data-count="${code}"]`).forEach((element) => {
      element.textContent = count;
      element.closest(".count").classList.toggle("zero", count === 0);
    });
  });
  if (Object.keys(change.rows).length) {
    for (const table of board.querySelectorAll(".sites")) order(table, [...table.querySelectorAll(".site")], compareRows);
    order(board, [...board.querySelectorAll(".hub")], compareHubs);
    filter();
  }
}

// --- stream -------------------------------------------------------------------------------------------------------

function heard(event) {
  const said = JSON.parse(event.data);
  heardAt = now();
  serverSaid(said.now);
  judgedAt = said.at ?? 0;
  if (judgedAt) judged.textContent = stamp(judgedAt).slice(11);
  if (event.lastEventId) token = event.lastEventId;
  watch();
  return said;
}

function open() {
  stream = new EventSource(`/events?since=${encodeURIComponent(token)}&lang=${board.dataset.language}`);
  stream.addEventListener("rows", (event) => take(heard(event)));
  stream.addEventListener("beat", heard);
  stream.addEventListener("incidents", (event) => showIncidents(JSON.parse(event.data).open));
  stream.addEventListener("reload", () => {
    stream.close();
    location.reload();
  });
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) {
      stream.close();
      stream = null;
      setTimeout(() => stream ?? (isPaused || open()), BEAT_MS);
    }
    watch();
  });
}

function setPaused(wanted) {
  isPaused = wanted;
  pause.textContent = wanted ? pause.dataset.resume : pause.dataset.pause;
  if (wanted) {
    stream?.close();
    stream = null;
  } else {
    heardAt = now();
    open();
  }
  watch();
}

// --- honesty ------------------------------------------------------------------------------------------------------

function watch() {
  const late = now() - heardAt > LATE_MS;
  const stale = !late && judgedAt > 0 && now() - judgedAt > LATE_MS;
  const kind = isPaused ? "" : late ? "lost" : stale ? "stale" : "";
  pulse.className = isPaused || kind ? "off" : "on";
  pulse.textContent = isPaused ? pulse.dataset.paused : kind ? "" : pulse.dataset.live;
  board.classList.toggle("stale", kind !== "" || isPaused);
  if (!kind) {
    if (judgedAt > 0) banner.hidden = true;
    return;
  }
  const text = banner.dataset[kind].replace("{at}", both(kind === "lost" ? heardAt : judgedAt, ""));
  if (banner.hidden || banner.firstElementChild.textContent !== text) {
    banner.firstElementChild.textContent = text;
    banner.lastElementChild.textContent = banner.dataset[`${kind}Hint`];
    banner.hidden = false;
  }
}

// --- filter -------------------------------------------------------------------------------------------------------

function filter() {
  const wanted = query.value.trim().toLocaleLowerCase();
  let count = 0;
  const rows = board.querySelectorAll(".site");
  for (const row of rows) {
    const fits = (state === "" || row.dataset.state === state) && row.dataset.find.includes(wanted);
    row.hidden = !fits;
    count += fits;
  }
  for (const hub of board.querySelectorAll(".hub")) hub.hidden = !hub.querySelector(".site:not([hidden])");
  document.getElementById("nomatch").hidden = count > 0 || rows.length === 0;
  shown.textContent = shown.dataset.text.replace("{shown}", count).replace("{total}", board.dataset.total);
  for (const link of document.querySelectorAll(".count")) {
    if (link.dataset.state === state) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function remember() {
  const wanted = new URLSearchParams();
  if (query.value.trim()) wanted.set("q", query.value.trim());
  if (state) wanted.set("state", state);
  history.replaceState(null, "", wanted.size ? `/?${wanted}` : "/");
}

// A page the server filtered lacks rows; only a whole one is filtered here.
const isWhole = Number(board.dataset.total) === board.querySelectorAll(".site").length;
if (isWhole) {
  query.addEventListener("input", () => {
    filter();
    remember();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
    remember();
  });
  form.querySelector("button").hidden = true;
  for (const link of document.querySelectorAll(".count")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      state = state === link.dataset.state ? "" : link.dataset.state;
      filter();
      remember();
    });
  }
}

pause.hidden = false;
pause.addEventListener("click", () => setPaused(!isPaused));
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => event.persisted && !isPaused && open());
setInterval(watch, 1000);
open();
watch();
