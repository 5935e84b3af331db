// Ages and clocks that count. The server's clock rules: this machine's may be wrong, so only its progress is used.
const texts = document.body.dataset;
let lead = Number(texts.now) - Date.now();

export const now = () => Date.now() + lead;

// Take the server's time from an event. Delivery delays only make it late, so the largest lead seen is the truest;
// a jump of more than a minute is this machine's clock being set.
export function serverSaid(ms) {
  const seen = ms - Date.now();
  if (seen > lead || lead - seen > 60_000) lead = seen;
}

const KST = { timeZone: "Asia/Seoul", hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
const forms = new Map();

// "2026-07-31 14:05:09" in a time zone.
export function stamp(ms, zone = "Asia/Seoul") {
  if (!forms.has(zone)) forms.set(zone, new Intl.DateTimeFormat("sv-SE", { ...KST, timeZone: zone }));
  return forms.get(zone).format(ms);
}

export function both(ms, zone) {
  const said = [`${stamp(ms)} KST`];
  const read = [stamp(ms)];
  for (const name of [zone, texts.zone]) {
    const there = name ? stamp(ms, name) : read[0];
    if (read.includes(there)) continue;
    read.push(there);
    said.push(`${there} ${name}`);
  }
  return said.join(" · ");
}

export function age(ms) {
  const seconds = Math.floor((now() - ms) / 1000);
  if (seconds < -60) return texts.ageAhead;
  if (seconds < 1) return texts.ageNow;
  const say = (text, n) => text.replace("{n}", n);
  if (seconds < 100) return say(texts.ageSeconds, seconds);
  if (seconds < 6000) return say(texts.ageMinutes, Math.floor(seconds / 60));
  if (seconds < 172_800) return say(texts.ageHours, Math.floor(seconds / 3600));
  return say(texts.ageDays, Math.floor(seconds / 86_400));
}

export function show(element) {
  const text = age(Number(element.dataset.at));
  if (element.textContent !== text) element.textContent = text;
}

function count() {
  for (const element of document.querySelectorAll("time[data-at]")) show(element);
  for (const element of document.querySelectorAll('time[data-clock=""]')) {
    const text = stamp(now());
    const [day, hour] = element.children; // apart, so that a phone's head may leave the day out
    if (hour) {
      day.textContent = text.slice(0, 11);
      hour.textContent = text.slice(11);
    } else element.textContent = text;
  }
  for (const element of document.querySelectorAll("time[data-own]")) {
    const text = stamp(now(), element.dataset.own);
    const [day, hour] = element.children;
    day.textContent = text.slice(5, 11);
    hour.textContent = text.slice(11, 16);
  }
  setTimeout(count, 1000 - (now() % 1000));
}
if (texts.zone) for (const element of document.querySelectorAll("time.age[data-at]")) element.title = both(Number(element.dataset.at), element.dataset.zone);
count();
