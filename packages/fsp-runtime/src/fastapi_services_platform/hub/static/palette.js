// The command palette: Ctrl+K, or the button that without a script leads to the search page.
"use strict";
(() => {
  const dialog = document.getElementById("palette");
  const opener = document.querySelector("[data-palette]");
  if (!dialog || !opener || typeof dialog.showModal !== "function") return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let asked = 0;
  let shown = null;
  let waiting = 0;

  const options = () => [...list.querySelectorAll("[role=option][data-href]")];
  const current = () => options().findIndex((option) => option.getAttribute("aria-selected") === "true");

  const choose = (index) => {
    const all = options();
    for (const option of all) option.setAttribute("aria-selected", "false");
    const chosen = all[(index + all.length) % all.length];
    if (!chosen) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    chosen.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  };

  const ask = async () => {
    const number = ++asked;
    const words = input.value;
    const answer = await fetch(`/search/palette?q=${encodeURIComponent(words.slice(0, 200))}`, { headers: { accept: "text/html" } });
    if (number !== asked) return;
    if (!answer.ok) {
      location.assign("/search");
      return;
    }
    const options = await answer.text();
    if (number !== asked) return;
    list.innerHTML = options;
    shown = words;
    choose(0);
  };

  const act = (option) => {
    if (!option) return;
    if (!option.dataset.posts) {
      location.assign(option.dataset.href);
      return;
    }
    const form = document.createElement("form");
    form.method = "post";
    form.action = option.dataset.href;
    const token = document.querySelector('meta[name="csrf-token"]');
    for (const [name, value] of [["csrf_token", token?.content ?? ""], ...JSON.parse(option.dataset.posts)]) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  };

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    ask();
  };

  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(current() + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(waiting);
      if (shown !== input.value) await ask();
      act(options()[current()]);
    }
  });
  list.addEventListener("click", (event) => act(event.target.closest("[role=option][data-href]")));
})();
