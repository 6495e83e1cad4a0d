// The desk: selecting rows, acting on many, the keyboard, one exception beside the list. The list itself is the server's.
"use strict";
(function () {
  const body = document.body;
  const desk = document.getElementById("desk");
  const list = document.getElementById("list");
  const bar = document.getElementById("bulk-bar");
  const panel = document.getElementById("side-panel");
  const mayAct = desk.dataset.canAct !== undefined;
  const rows = () => [...list.querySelectorAll("tr[data-row]")];
  const idOf = (row) => row.id.replace("exception-", "");
  const rowOf = (id) => document.getElementById(`exception-${id}`);
  let opened = null; // the id of the one beside the list

  // ── Live: while somebody works here the rows that are shown stay where they are; the server says what they are now, and
  // how many are new. On a page that nobody touches, such as one on a wall, the list is simply made afresh. ──────────────
  const AT_WORK_MILLISECONDS = 60_000;
  let touched = -Infinity;
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(kind, () => { touched = performance.now(); }, { passive: true, capture: true });
  }
  const atWork = () => picked.size > 0 || opened !== null || performance.now() - touched < AT_WORK_MILLISECONDS;
  setInterval(() => { if (!atWork() && list.querySelector("[data-news]")) htmx.trigger(list, "live"); }, 5000);
  body.addEventListener("htmx:configRequest", (event) => {
    const { elt, triggeringEvent, headers } = event.detail;
    if (elt !== list || triggeringEvent?.type !== "live" || !atWork()) return;
    headers["E2A-Shown"] = rows().map(idOf).join(",");
    headers["E2A-Next"] = list.querySelector("[data-next]")?.dataset.next || "";
  });
  body.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === list) { show(); showPlace(); } });

  // ── Selection ────────────────────────────────────────────────────────────────────────────────────────────────
  const picked = new Set();
  let whole = false; // all of the filter, not only those of the page
  let lastPicked = null;
  function pick(row, on) {
    if (on) picked.add(idOf(row));
    else { picked.delete(idOf(row)); whole = false; }
    lastPicked = row;
  }
  function pickUntil(row, on) {
    const all = rows();
    const ends = [all.indexOf(lastPicked), all.indexOf(row)].sort((a, b) => a - b);
    for (const each of all.slice(Math.max(ends[0], 0), ends[1] + 1)) pick(each, on);
  }
  function clear() {
    picked.clear();
    whole = false;
    show();
  }
  function show() {
    const all = rows();
    list.querySelector("[data-filters]")?.setAttribute("aria-expanded", desk.classList.contains("filters-open"));
    for (const row of all) {
      const on = picked.has(idOf(row));
      row.setAttribute("aria-selected", on);
      const box = row.querySelector("[data-pick]");
      if (box) box.checked = on;
      row.classList.toggle("row-open", idOf(row) === opened);
    }
    const here = all.filter((row) => picked.has(idOf(row))).length;
    const everything = list.querySelector("[data-pick-all]");
    if (everything) {
      everything.checked = all.length > 0 && here === all.length;
      everything.indeterminate = here > 0 && here < all.length;
    }
    if (!bar) return;
    bar.hidden = !picked.size;
    const total = list.querySelector('[aria-label="Status"] [aria-current] .count')?.textContent || "";
    bar.querySelector("[data-picked]").textContent = whole ? `All ${total} of this filter` : `${picked.size} selected`;
    const more = bar.querySelector("[data-whole]");
    more.hidden = whole || here < all.length || total === String(all.length);
    more.textContent = `Select all ${total} of this filter`;
  }
  list.addEventListener("click", (event) => {
    if (event.target.closest("[data-filters]")) { desk.classList.toggle("filters-open"); return show(); }
    if (event.target.matches("[data-pick-all]")) {
      for (const row of rows()) pick(row, event.target.checked);
      return show();
    }
    if (!event.target.matches("[data-pick]")) return;
    const row = event.target.closest("tr");
    if (event.shiftKey && lastPicked?.isConnected) pickUntil(row, event.target.checked);
    else pick(row, event.target.checked);
    show();
  });

  // ── Acting on many ───────────────────────────────────────────────────────────────────────────────────────────
  function askForMany(action) {
    const values = whole ? { whole: "1", query: location.search.slice(1) } : { ids: [...picked].join(",") };
    htmx.ajax("POST", `/exceptions/bulk/${action}/ask/`, { source: bar, target: "#dialog", swap: "innerHTML", values });
  }
  bar?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.bulk) askForMany(button.dataset.bulk);
    if (button.dataset.whole !== undefined) { whole = true; show(); }
    if (button.dataset.clear !== undefined) clear();
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    const { successful, requestConfig, xhr } = event.detail;
    const began = successful && requestConfig.verb === "post" && /^\/exceptions\/bulk\/\d+\/$/.test(requestConfig.path);
    if (began && (xhr.status === 200 || xhr.status === 204)) clear();
  });

  // What a closed dialog held asks on no more.
  const dialog = document.getElementById("dialog");
  dialog.addEventListener("close", () => { if (!dialog.open) dialog.replaceChildren(); });

  // ── One beside the list ──────────────────────────────────────────────────────────────────────────────────────
  function address(id) {
    const wanted = new URLSearchParams(location.search);
    if (id) wanted.set("open", id);
    else wanted.delete("open");
    const query = wanted.toString();
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : ""));
  }
  function setPanel(id, on) { // the list gets narrower or wider, its rows higher or lower: the one looked at stays where it is
    const row = rowOf(id);
    const top = row?.getBoundingClientRect().top;
    panel.hidden = !on;
    desk.classList.toggle("has-panel", on);
    if (row) scrollBy(0, row.getBoundingClientRect().top - top);
  }
  function open(id) {
    const part = document.createElement("div");
    part.setAttribute("hx-get", `/exceptions/${id}/`);
    part.setAttribute("hx-trigger", "load, live from:body");
    part.setAttribute("hx-swap", "morph:innerHTML");
    panel.querySelector("[data-part]").replaceChildren(part);
    panel.querySelector("[data-full]").href = `/exceptions/${id}/`;
    setPanel(id, true);
    panel.scrollTop = 0;
    opened = id;
    address(id);
    htmx.process(part);
    show();
  }
  function close() {
    const row = rowOf(opened);
    panel.querySelector("[data-part]").replaceChildren();
    setPanel(opened, false);
    opened = null;
    address(null);
    show();
    row?.focus({ preventScroll: true });
  }
  const wide = matchMedia("(min-width: 48rem)");
  list.addEventListener("click", (event) => {
    const link = event.target.closest("[data-beside]");
    if (!link || !wide.matches || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    link.closest("tr").focus({ preventScroll: true });
    open(idOf(link.closest("tr")));
  });
  panel.querySelector("[data-close-panel]").addEventListener("click", close);
  body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 404 && panel.contains(event.detail.elt)) close();
  });

  // ── Keyboard ─────────────────────────────────────────────────────────────────────────────────────────────────
  const sheet = document.getElementById("keys");
  const toggle = sheet.querySelector("[data-keys-on]");
  const OFF = "e2a-keys-off";
  try { toggle.checked = !localStorage.getItem(OFF); } catch { /* on then */ }
  toggle.addEventListener("change", () => {
    try {
      if (toggle.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    } catch { /* not kept then */ }
  });
  // The row that the keys are at, by its id: a place would point at another row once one has gone, and keys act.
  let at = null;
  let place = 0; // where it last was, to go on from when it has gone
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-row]");
    if (!row) return;
    at = idOf(row);
    place = Math.max(rows().indexOf(row), 0);
    showPlace();
  });
  const current = () => (at && rowOf(at)) || null;
  function showPlace() { // even while the focus is elsewhere, so that nobody acts on a row unseen
    for (const row of rows()) row.classList.toggle("row-at", idOf(row) === at);
  }
  let following = null;
  function move(by) {
    const all = rows();
    if (!all.length) return;
    const found = all.indexOf(current());
    const next = found >= 0 ? found + by : by > 0 ? place : place - 1; // once it has gone, the next one is in its place
    place = Math.min(Math.max(next, 0), all.length - 1);
    all[place].focus();
    all[place].scrollIntoView({ block: "nearest" });
    if (panel.hidden) return;
    clearTimeout(following);
    following = setTimeout(() => { if (!panel.hidden && current()) open(at); }, 120);
  }
  function actOnOne(verb, path, options) {
    const row = current();
    if (row) htmx.ajax(verb, `/exceptions/${idOf(row)}/${path}/`, { source: row, ...options });
  }
  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    o: () => current() && open(idOf(current())),
    "/": () => document.getElementById("exception-search").focus(),
    "?": () => sheet.showModal(),
  };
  const ACTING_KEYS = {
    x: () => { const row = current(); if (row) { pick(row, !picked.has(idOf(row))); show(); } },
    a: () => (picked.size ? askForMany("acknowledge") : actOnOne("POST", "acknowledge", { swap: "none" })),
    r: () => (picked.size ? askForMany("resolve") : actOnOne("GET", "resolve", { target: "#dialog", swap: "innerHTML" })),
  };
  if (mayAct) Object.assign(KEYS, ACTING_KEYS);
  function escape(target) {
    if (target.matches("#exception-search")) target.blur();
    else if (!panel.hidden) close();
    else if (picked.size) clear();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (key === "Escape") return escape(target);
    if (target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]") || !toggle.checked) return;
    if (key === "Enter" && target.matches("tr[data-row]")) { event.preventDefault(); return KEYS.o(); }
    if (!Object.hasOwn(KEYS, key)) return;
    event.preventDefault();
    KEYS[key]();
  });

  body.addEventListener("htmx:pushedIntoHistory", () => { // another filter: what was selected in the old one is not its rows
    clear();
    if (opened) address(opened);
  });
  const named = new URLSearchParams(location.search).get("open");
  if (/^\d+$/.test(named)) open(named);
  show();
})();
