// Completes @names in a text field: <textarea data-mentions="/address/of/names">. Arrows choose, Enter or Tab takes, Escape closes.
"use strict";
(function () {
  const BEFORE = /(?:^|[^\w.@+/-])@([\w.@+-]*)$/;
  let field = null; // the field whose list is open
  let list = null;
  let chosen = 0;
  let asked = 0;

  const wanted = (element) => element instanceof HTMLTextAreaElement && element.dataset.mentions;
  const typed = (element) => element.value.slice(0, element.selectionStart).match(BEFORE)?.[1];

  function close() {
    list?.remove();
    if (field) for (const name of ["aria-activedescendant", "aria-controls"]) field.removeAttribute(name);
    field = list = null;
    asked += 1; // an answer on its way comes too late
  }
  function mark(at) {
    const options = list.children;
    chosen = (at + options.length) % options.length;
    for (const [place, option] of [...options].entries()) option.setAttribute("aria-selected", String(place === chosen));
    field.setAttribute("aria-activedescendant", options[chosen].id);
  }
  function take(name) {
    const element = field;
    const at = element.selectionStart;
    const begin = at - typed(element).length;
    close();
    element.setRangeText(`${name} `, begin, at, "end");
    element.focus();
  }
  function open(element, people) {
    close();
    if (!people.length) return;
    field = element;
    list = document.createElement("ul");
    list.className = "mention-list";
    list.id = "mention-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People");
    for (const [place, person] of people.entries()) {
      const option = document.createElement("li");
      option.id = `mention-${place}`;
      option.setAttribute("role", "option");
      option.dataset.name = person.name;
      option.textContent = person.full ? `${person.name} (${person.full})` : person.name;
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(person.name); });
      list.append(option);
    }
    element.after(list);
    element.setAttribute("aria-controls", list.id);
    mark(0);
  }
  async function offer(element) {
    const text = typed(element);
    if (text === undefined) return close();
    const mine = (asked += 1);
    try {
      const answer = await fetch(`${element.dataset.mentions}?q=${encodeURIComponent(text)}`, { redirect: "error" });
      if (answer.ok && mine === asked && document.activeElement === element) open(element, (await answer.json()).people);
    } catch { /* the name can be typed in full */ }
  }
  const trouble = (form) => form?.parentElement?.querySelector("[data-comment-trouble]")?.replaceChildren();

  document.addEventListener("input", (event) => {
    if (!wanted(event.target)) return;
    trouble(event.target.form);
    offer(event.target);
  });
  document.addEventListener("reset", (event) => { close(); trouble(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  document.addEventListener("keydown", (event) => {
    if (event.target !== field || !list) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) mark(chosen + steps[event.key]);
    else if (event.key === "Enter" || event.key === "Tab") take(list.children[chosen].dataset.name);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
})();
