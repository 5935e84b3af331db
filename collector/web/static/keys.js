// "/" leads to what can be searched on this page, else to the search. Nothing else is taken from the browser's own keys.
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  const field = document.querySelector("main input[type=search]");
  if (field) field.select();
  else document.querySelector("a[data-search]")?.click();
});
