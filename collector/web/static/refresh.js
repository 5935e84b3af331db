// Keeps a page of tables current: fetches itself and takes over the parts marked data-fresh. A part somebody is
// working in (focus, a marked text) waits for the next time; what was unfolded stays unfolded.
import { both, now } from "./age.js";

const bar = document.getElementById("fresh");
const pause = document.getElementById("pause");
const banner = document.getElementById("banner");
const pace = Number(bar.dataset.seconds) * 1000;
let isPaused = false;
let freshAt = now();

function isInUse(part) {
  const marked = getSelection();
  return part.contains(document.activeElement) || (!marked.isCollapsed && part.contains(marked.anchorNode));
}

function takeOver(part, newer) {
  if (!newer || isInUse(part) || part.innerHTML === newer.innerHTML) return;
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  part.replaceChildren(...newer.childNodes);
  part.querySelectorAll("details").forEach((details, place) => {
    if (open[place] !== undefined) details.open = open[place];
  });
}

export async function refresh() {
  if (isPaused || document.visibilityState === "hidden") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // the session is over
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-fresh]")) takeOver(part, page.getElementById(part.id));
    document.getElementById("as-of").textContent = page.getElementById("as-of").textContent;
    freshAt = now();
    banner.hidden = true;
  } catch {
    banner.firstElementChild.textContent = banner.dataset.lost.replace("{at}", both(freshAt, ""));
    banner.hidden = false;
  }
}

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? pause.dataset.resume : pause.dataset.pause;
  refresh();
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, pace);
