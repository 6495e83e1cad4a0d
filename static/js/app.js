// What every page does besides htmx: stays live, asks before it acts, tells what came of it, keeps times going.
"use strict";
(function () {
  const body = document.body;
  const clockOffset = Number(document.documentElement.dataset.now) * 1000 - Date.now();
  const serverNow = () => Date.now() + (Math.abs(clockOffset) > 1500 ? clockOffset : 0);

  // ── Times ────────────────────────────────────────────────────────────────────────────────────────────────────
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  function lengthOf(milliseconds) {
    let rest = Math.floor(milliseconds / 1000);
    if (rest < 1) return "0 s";
    const parts = [];
    for (const [seconds, unit] of UNITS) {
      const number = Math.floor(rest / seconds);
      rest -= number * seconds;
      if (number) parts.push(`${number.toLocaleString("en")} ${unit}`);
      if (parts.length === 2 || (parts.length && !number)) break;
    }
    return parts.join(" ");
  }
  function tick() {
    const now = serverNow();
    for (const time of document.querySelectorAll("time[data-moment], time[data-since], time[data-left]")) {
      const { since, left, moment } = time.dataset;
      const gap = now - Number(since || left || moment);
      let text = lengthOf(Math.abs(gap));
      if (left && gap > 0) text = `late by ${text}`;
      if (moment) text = Math.abs(gap) < 2000 ? "just now" : gap > 0 ? `${text} ago` : `in ${text}`;
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(tick, 1000);

  // ── Toasts ───────────────────────────────────────────────────────────────────────────────────────────────────
  const toasts = document.getElementById("toasts");
  function toast(text, level) {
    const made = document.getElementById("toast").content.firstElementChild.cloneNode(true);
    made.classList.add(`notice-${level || "info"}`);
    made.querySelector("span").textContent = text;
    toasts.append(made);
    if (level !== "error") setTimeout(() => made.remove(), 6000);
    while (toasts.children.length > 4) toasts.firstElementChild.remove();
  }
  for (const message of toasts.querySelectorAll("[data-toast]:not(.notice-error)")) setTimeout(() => message.remove(), 8000);
  body.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));
  body.addEventListener("htmx:responseError", (event) => {
    const request = event.detail.xhr;
    if (request.status === 401) return location.reload();
    let problem = {};
    try { problem = JSON.parse(request.responseText); } catch { /* not one of our answers */ }
    const texts = Object.values(problem.errors || {}).flat();
    if (quiet(event.detail.elt)) return sign("lost");
    toast(texts.join(" ") || problem.detail || `The server answered ${request.status}. Nothing was changed.`, "error");
    if (request.status === 409) refresh();
  });
  body.addEventListener("htmx:sendError", (event) => {
    if (quiet(event.detail.elt)) return sign("lost");
    toast("The server cannot be reached. Check the connection and try again.", "error");
  });
  const quiet = (element) => (element.getAttribute("hx-trigger") || "").includes("live");

  // ── Dialogs, small menus ─────────────────────────────────────────────────────────────────────────────────────
  const confirmation = document.getElementById("confirm");
  function ask(element, go) {
    confirmation.querySelector("#confirm-text").textContent = element.dataset.confirm;
    confirmation.querySelector("[value=yes]").textContent = element.dataset.confirmYes || "Go on";
    confirmation.returnValue = "no";
    confirmation.addEventListener("close", () => confirmation.returnValue === "yes" && go(), { once: true });
    confirmation.showModal();
  }
  body.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.elt.dataset.confirm) return;
    event.preventDefault();
    ask(event.detail.elt, () => event.detail.issueRequest(true));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.dataset.confirmed || form.matches("[hx-post], [hx-get], [data-hx-post]")) return;
    event.preventDefault();
    ask(form, () => { form.dataset.confirmed = "1"; form.requestSubmit(event.submitter || undefined); });
  });
  document.addEventListener("click", (event) => {
    const near = (selector) => event.target.closest(selector);
    if (near("[data-dismiss]")) near("[data-toast]").remove();
    if (near("[data-open]")) document.getElementById(near("[data-open]").dataset.open).showModal();
    if (near("[data-close]") && near("dialog")) { event.preventDefault(); near("dialog").close(); }
    if (near("[data-copy]")) navigator.clipboard.writeText(near("[data-copy]").dataset.copy).then(() => toast("Copied.", "success"));
    for (const menu of document.querySelectorAll("details.menu-pop[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest("details.menu-pop[open]") || document.querySelector("details.menu-pop[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  // A form that hx-target="#dialog" fetches opens as a dialog. Empty fields of a filter stay out of the address.
  body.addEventListener("htmx:afterSwap", (event) => {
    const dialog = event.detail.target;
    if (dialog.id !== "dialog") return;
    htmx.process(dialog); // else a quick Enter would send the form past htmx, which looks at what is new a moment later
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[aria-invalid=true]") || dialog.querySelector("form :is(select, textarea, input:not([type=hidden]))"))?.focus();
  });
  body.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.hasAttribute("data-clean")) return;
    for (const [name, value] of [...event.detail.formData.entries()]) if (value === "") event.detail.formData.delete(name);
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || event.detail.requestConfig.verb === "get") return;
    const form = event.detail.elt.closest("form");
    if (form && event.detail.xhr.status === 204) form.reset();
    if (event.detail.xhr.status !== 204) return;
    event.detail.elt.closest("dialog[open]")?.close();
    const menu = event.detail.elt.closest("details.menu-pop[open]");
    if (menu) menu.open = false;
  });

  // ── Colours ──────────────────────────────────────────────────────────────────────────────────────────────────
  const THEMES = ["", "e2a", "e2a-dark"];
  const THEME_NAMES = ["System", "Light", "Dark"];
  const THEME_ICONS = ["monitor", "sun", "moon"];
  function showTheme(button) {
    const at = THEMES.indexOf(document.documentElement.dataset.theme || "");
    const drawn = button.querySelector("use");
    drawn.setAttribute("href", drawn.getAttribute("href").replace(/#.*/, `#${THEME_ICONS[at]}`));
    button.querySelector("[data-theme-name]").textContent = THEME_NAMES[at];
    button.setAttribute("aria-label", `Colours: ${at ? THEME_NAMES[at].toLowerCase() : "as the system"}`);
  }
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    showTheme(button);
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "") + 1) % 3];
      if (next) document.documentElement.dataset.theme = next;
      else delete document.documentElement.dataset.theme;
      try { localStorage.setItem("e2a-theme", next); } catch { /* not kept then */ }
      showTheme(button);
      body.dispatchEvent(new CustomEvent("themechange"));
    });
  }

  // ── Morphing: what a person has open, typed or chosen stays ──────────────────────────────────────────────────
  if (window.Idiomorph) {
    Object.assign(Idiomorph.defaults, { ignoreActiveValue: true, restoreFocus: true });
    Object.assign(Idiomorph.defaults.callbacks, {
      beforeNodeMorphed(old) {
        if (old.nodeType !== 1) return true;
        return !(old.hasAttribute("data-keep") || old.matches("details.menu-pop[open], dialog[open]"));
      },
      beforeAttributeUpdated(name, element) {
        return !(name === "open" && element.matches("details"));
      },
      afterNodeAdded(node) {
        if (settled && node.nodeType === 1 && node.matches("[data-row]")) node.classList.add("row-new");
      },
    });
  }
  let settled = false;
  setTimeout(() => { settled = true; }, 300);

  // ── Live: a hint by socket, else a cheap question every few seconds; each only says that something changed ────
  const SIGNS = {
    live: "Live",
    polling: "Reconnecting, updating every few seconds",
    lost: "No connection, trying again",
  };
  const POLL_MILLISECONDS = 3500;
  const REFRESH_AT_MOST_EVERY = 900;
  function sign(state) {
    for (const element of document.querySelectorAll("[data-live-sign]")) {
      element.hidden = false;
      element.dataset.state = state;
      element.textContent = SIGNS[state];
      element.title = SIGNS[state];
    }
  }
  let refreshed = 0;
  let waiting = null;
  function refresh() {
    const wait = refreshed + REFRESH_AT_MOST_EVERY - Date.now();
    if (wait > 0) { waiting ??= setTimeout(() => { waiting = null; refresh(); }, wait); return; }
    refreshed = Date.now();
    body.dispatchEvent(new CustomEvent("live"));
  }

  if (body.dataset.live === undefined) return;
  let version = body.dataset.live;
  let socket = null;
  let attempts = 0;
  let polling = null;

  async function poll() {
    clearTimeout(polling);
    if (!document.hidden) {
      try {
        const answer = await fetch(`/live?v=${encodeURIComponent(version)}`, { cache: "no-store", redirect: "manual" });
        if (answer.status === 401 || answer.status === 403) return location.reload();
        if (!answer.ok) throw new Error(String(answer.status));
        if (answer.status === 200) { version = await answer.text(); refresh(); }
        sign(socket && socket.readyState === WebSocket.OPEN ? "live" : "polling");
      } catch {
        version = "?"; // whatever was missed meanwhile is fetched as soon as the server answers
        sign("lost");
      }
    }
    polling = setTimeout(poll, POLL_MILLISECONDS + Math.random() * 400);
  }
  function connect() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    socket.addEventListener("open", () => { attempts = 0; sign("live"); poll(); });
    socket.addEventListener("message", () => { if (!document.hidden) refresh(); });
    socket.addEventListener("close", () => {
      sign("polling");
      poll();
      attempts += 1;
      setTimeout(connect, Math.min(15000, 400 * 2 ** attempts) * (0.5 + Math.random() / 2));
    });
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); version = "?"; poll(); } });
  connect();
  polling = setTimeout(poll, 600);
})();
