// The wall's live part: it takes over a new picture when the server says that something changed, sounds for a new
// critical incident where somebody wanted that, and says when it is not how things are now.
import { both, now, serverSaid, stamp } from "./age.js";

const element = (id) => document.getElementById(id);
const banner = element("banner");
const pulse = element("pulse");
const sound = element("sound");
const pause = element("pause");
const BEAT_MS = 5000; // the server says at least this often that it lives
const LATE_MS = 2 * BEAT_MS;
const RENEW_MS = 15_000;
const AGAIN_MS = 60_000; // an unanswered critical incident sounds again after this
const wall = () => element("wall");
let judgedAt = Number(wall().dataset.at);
let heardAt = now();
let shownAt = now(); // when the picture on the screen was made
let renewedAt = 0;
let stream = null;
let isPaused = false;
let isRenewing = false;
let isWanted = false;

// --- the picture --------------------------------------------------------------------------------------------------

async function renew() {
  if (isPaused || isRenewing) return;
  isRenewing = true;
  renewedAt = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(8000) });
    if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const newer = page.getElementById("wall");
    if (!newer || isPaused) return;
    const made = Number(page.body.dataset.now);
    serverSaid(made);
    shownAt = made;
    judgedAt = Number(newer.dataset.at);
    if (judgedAt) element("judged").textContent = stamp(judgedAt).slice(11);
    if (wall().innerHTML !== newer.innerHTML) wall().replaceWith(document.adoptNode(newer));
    alarm();
    thaw();
  } catch {
    // What is on the screen says how old it is; the next round tries again.
  } finally {
    isRenewing = false;
    watch();
  }
}

// The style sheet shows this by itself after a while; each new picture begins that while anew.
function thaw() {
  const old = element("frozen");
  const next = old.cloneNode(true);
  next.firstElementChild.textContent = old.firstElementChild.textContent.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, stamp(shownAt));
  old.replaceWith(next);
}

function soon() {
  const waited = performance.now() - renewedAt;
  setTimeout(renew, Math.max(0, 1000 - waited));
}

// --- stream -------------------------------------------------------------------------------------------------------

function heard(event) {
  heardAt = now();
  const said = JSON.parse(event.data);
  if (said.now) serverSaid(said.now);
  if (said.at) {
    judgedAt = said.at;
    element("judged").textContent = stamp(judgedAt).slice(11);
  }
  watch();
  return said;
}

function open() {
  stream?.close();
  stream = new EventSource(`/events?since=${encodeURIComponent(wall().dataset.token)}&lang=${wall().dataset.language}`);
  stream.addEventListener("beat", heard);
  stream.addEventListener("rows", (event) => {
    // A report that only came in moves an age; the slow round shows that soon enough.
    if (Object.keys(heard(event).rows).length) soon();
  });
  stream.addEventListener("incidents", () => soon());
  stream.addEventListener("reload", () => {
    stream.close();
    stream = null;
    renew().then(() => setTimeout(() => stream ?? (isPaused || open()), 1000));
  });
  stream.addEventListener("error", () => {
    if (stream?.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(() => stream ?? (isPaused || open()), BEAT_MS);
    }
    watch();
  });
}

// --- honesty ------------------------------------------------------------------------------------------------------

function watch() {
  const isLost = now() - heardAt > LATE_MS || now() - shownAt > RENEW_MS + LATE_MS;
  const isStale = judgedAt > 0 && now() - judgedAt > LATE_MS;
  const kind = isPaused ? "paused" : isLost ? "lost" : isStale ? "stale" : "";
  document.documentElement.classList.toggle("is-late", kind !== "");
  pulse.className = kind ? "off" : "on";
  pulse.textContent = kind === "paused" ? pulse.dataset.paused : kind ? "" : pulse.dataset.live;
  if (!kind) {
    if (judgedAt > 0) banner.hidden = true;
    return;
  }
  const at = both(kind === "stale" ? judgedAt : kind === "lost" ? Math.min(heardAt, shownAt) : shownAt, "");
  const text = banner.dataset[kind].replace("{at}", at);
  if (banner.hidden || banner.firstElementChild.textContent !== text) {
    banner.firstElementChild.textContent = text;
    banner.lastElementChild.textContent = banner.dataset[`${kind}Hint`];
    banner.hidden = false;
  }
}

// --- alarm --------------------------------------------------------------------------------------------------------

const KEPT = "bongsu.wall.sound";
let audio = null;
const waiting = () => new Set(wall().dataset.waiting.split(" ").filter(Boolean));
let known = waiting();
let soundedAt = 0;

function tone(start, pitch) {
  const source = audio.createOscillator();
  const gain = audio.createGain();
  source.frequency.value = pitch;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.4, start + 0.02);
  gain.gain.setValueAtTime(0.4, start + 0.22);
  gain.gain.linearRampToValueAtTime(0, start + 0.28);
  source.connect(gain).connect(audio.destination);
  source.start(start);
  source.stop(start + 0.3);
}

function ring(times) {
  if (!isWanted || !audio || audio.state !== "running") return;
  soundedAt = performance.now();
  document.documentElement.dataset.rang = Number(document.documentElement.dataset.rang ?? 0) + 1;
  for (let turn = 0; turn < times; turn += 1) {
    tone(audio.currentTime + turn * 0.7, 880);
    tone(audio.currentTime + turn * 0.7 + 0.3, 660);
  }
}

function alarm() {
  const current = waiting();
  const isNew = [...current].some((number) => !known.has(number));
  if (isNew) ring(3);
  else if (current.size && performance.now() - soundedAt > AGAIN_MS) ring(1);
  known = current;
}

function sayOfSound() {
  const isBlocked = isWanted && audio?.state !== "running";
  sound.setAttribute("aria-pressed", String(isWanted));
  sound.textContent = isBlocked ? sound.dataset.blocked : isWanted ? sound.dataset.on : sound.dataset.off;
}

async function wish(wanted) {
  isWanted = wanted;
  localStorage.setItem(KEPT, wanted ? "1" : "");
  if (wanted) await unlock();
  sayOfSound();
  if (wanted) ring(1); // so that whoever turns it on hears that it works, and how loud it is
}

// A browser lets nothing sound before somebody touched the page.
async function unlock() {
  audio ??= new AudioContext();
  await Promise.race([audio.resume(), new Promise((done) => setTimeout(done, 300))]);
  sayOfSound();
}

isWanted = localStorage.getItem(KEPT) === "1";
if (isWanted) unlock();
sound.hidden = false;
sound.addEventListener("click", () => wish(!isWanted));
addEventListener("pointerdown", () => isWanted && unlock());

// --- pause, keys, clocks ------------------------------------------------------------------------------------------

function setPaused(wanted) {
  isPaused = wanted;
  pause.textContent = wanted ? pause.dataset.resume : pause.dataset.pause;
  if (wanted) {
    stream?.close();
    stream = null;
    element("frozen").hidden = true; // the banner above says why
  } else {
    element("frozen").hidden = false;
    heardAt = now();
    renew().then(open);
  }
  watch();
}

pause.hidden = false;
pause.addEventListener("click", () => setPaused(!isPaused));
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "s" || event.key === "S") wish(!isWanted);
  else if (event.key === "p" || event.key === "P") setPaused(!isPaused);
  else if (isWanted) unlock();
});

function tick() {
  for (const clock of document.querySelectorAll("[data-clock]")) clock.textContent = stamp(now(), clock.dataset.clock).slice(11);
  for (const date of document.querySelectorAll("[data-date]")) date.textContent = stamp(now(), date.dataset.date).slice(0, 10);
  watch();
}

addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => event.persisted && !isPaused && open());
setInterval(tick, 1000);
setInterval(renew, RENEW_MS);
sayOfSound();
open();
tick();
