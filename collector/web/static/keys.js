// Keys: "/" leads to what can be searched, "?" shows all keys, "g" and a letter lead to a page, "p" pauses. What they are
// stands in the page (collector/web/keys.py); where somebody turned them off, nothing is listened to.
const help = document.querySelector("a.keyhelp");
const ways = new Map((help?.dataset.keys ?? "").split(" ").filter(Boolean).map((way) => [way[0], way.slice(2)]));
const LEAD_MS = 1500;
let ledAt = -LEAD_MS;
let shown = null;

function close() {
  shown?.close();
}

async function overlay() {
  if (shown) return close();
  const answer = await fetch("/keys", { headers: { Accept: "text/html" } });
  const list = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("keys");
  if (!list || shown) return;
  shown = document.createElement("dialog");
  shown.className = "keydialog";
  shown.setAttribute("aria-label", help.textContent.replace("?", "").trim());
  const end = document.createElement("button");
  end.type = "button";
  end.textContent = help.dataset.close;
  end.addEventListener("click", close);
  shown.append(end, document.adoptNode(list));
  shown.addEventListener("close", () => {
    shown.remove();
    shown = null;
    help.focus({ preventScroll: true });
  });
  shown.addEventListener("click", (event) => event.target === shown && close());
  document.body.append(shown);
  shown.showModal();
}

function search() {
  const field = document.querySelector("main input[type=search]");
  if (field) field.select();
  else document.querySelector("a[data-search]")?.click();
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const isLed = performance.now() - ledAt < LEAD_MS;
  ledAt = -LEAD_MS;
  if (isLed && ways.has(event.key)) location.href = ways.get(event.key);
  else if (event.key === "g") ledAt = performance.now();
  else if (event.key === "?") overlay();
  else if (event.key === "/") search();
  else if (event.key === "p" && !shown) document.getElementById("pause")?.click();
  else return;
  event.preventDefault();
}

if (ways.size) {
  addEventListener("keydown", pressed);
  help.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || location.pathname === "/keys") return;
    event.preventDefault();
    overlay();
  });
}
