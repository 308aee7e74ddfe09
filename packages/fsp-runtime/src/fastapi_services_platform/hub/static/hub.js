// Small helpers of the page frame. Every page works without them; nothing here is needed to send a form.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const themes = { auto: ["dark", "contrast"], dark: ["light", "moon"], light: ["auto", "sun"] };

  const closeOthers = (except) => {
    for (const open of document.querySelectorAll("details[data-closes][open]")) {
      if (open !== except) open.open = false;
    }
  };

  const toast = (text, tone = "good") => {
    const region = document.querySelector("[data-toasts]");
    if (!region) return;
    const item = document.createElement("div");
    item.className = `toast toast-${tone}`;
    const line = document.createElement("p");
    line.textContent = text;
    item.append(line);
    region.append(item);
    setTimeout(() => item.remove(), 6000);
  };

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const ownClock = root.dataset.zone === "own" || root.dataset.zone === zone || !zone;

  const rememberZone = () => {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `fsp-zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
  };

  const localTimes = (scope) => {
    if (ownClock) return;
    const language = root.lang === "en" ? "en-GB" : root.lang || undefined;
    const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
    for (const time of scope.querySelectorAll("time[datetime]:not([data-local])")) {
      const when = new Date(time.dateTime);
      if (Number.isNaN(when.valueOf())) continue;
      time.title = time.textContent;
      time.textContent = format.format(when);
      time.dataset.local = "";
    }
  };

  const enhance = (scope) => {
    localTimes(scope);
    for (const button of scope.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  };

  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    closeOthers(target.closest("details[data-closes]"));

    const menu = target.closest("[data-menu-button]");
    if (menu) {
      event.preventDefault();
      const open = document.getElementById("site-menu").classList.toggle("is-open");
      menu.setAttribute("aria-expanded", String(open));
    }
    if (target.closest(".menu-close")) {
      document.getElementById("site-menu").classList.remove("is-open");
      document.querySelector("[data-menu-button]").setAttribute("aria-expanded", "false");
    }
    const opener = target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();

    const dialog = target.closest("dialog");
    if (dialog && target === dialog) dialog.close();

    const copy = target.closest("[data-copy]");
    if (copy) {
      await navigator.clipboard.writeText(copy.closest("[data-copy-block]").querySelector("code").textContent);
      toast(document.querySelector("[data-toasts]").dataset.copied);
    }
    if (target.closest("[data-toast-text]")) toast(target.closest("[data-toast-text]").dataset.toastText);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeOthers(null);
  });

  document.addEventListener("submit", (event) => {
    const confirm_ = event.submitter?.dataset.confirm;
    if (confirm_ && !window.confirm(confirm_)) {
      event.preventDefault();
      return;
    }
    const button = event.submitter;
    if (!button || !("themeSwitch" in button.dataset)) return;
    event.preventDefault();
    const chosen = button.value;
    root.dataset.theme = chosen;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `fsp-theme=${chosen}; path=/; max-age=31536000; samesite=lax${secure}`;
    button.value = themes[chosen][0];
    const label = button.dataset[chosen];
    button.title = label;
    button.setAttribute("aria-label", `${label}. ${button.dataset.switch}`);
    toast(label, "info");
  });

  document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    const request = event.detail.ctx?.request;
    if (token && request) request.headers["X-CSRF-Token"] = token.content;
  });
  document.addEventListener("htmx:after:swap", () => enhance(document));

  const chartPath = (values, width, height) => {
    const most = Math.max(...values, 0) || 1;
    const step = width / Math.max(values.length - 1, 1);
    const y = (value) => height - 3 - ((height - 6) * value) / most;
    return values.map((value, n) => `${n ? "L" : "M"}${(n * step).toFixed(1)} ${y(value).toFixed(1)}`).join(" ");
  };

  const drawLive = (figure, sample) => {
    const values = (figure.dataset.liveValues || "").split(" ").filter(Boolean).map(Number);
    values.push(sample[figure.dataset.live]);
    const shown = values.slice(-150);
    figure.dataset.liveValues = shown.join(" ");
    figure.querySelector("[data-live-number]").textContent = new Intl.NumberFormat(root.lang || undefined).format(shown.at(-1));
    const line = chartPath(shown, 300, 80);
    figure.querySelector(".chart-line").setAttribute("d", line);
    figure.querySelector(".chart-area").setAttribute("d", `${line} L300 80 L0 80 Z`);
  };

  const live = (region) => {
    const source = new EventSource(region.dataset.liveStream);
    source.onmessage = (event) => {
      const sample = JSON.parse(event.data);
      for (const figure of region.querySelectorAll("[data-live]")) drawLive(figure, sample);
    };
    window.addEventListener("pagehide", () => source.close());
  };

  const start = () => {
    if (!ownClock) rememberZone();
    enhance(document);
    for (const region of document.querySelectorAll("[data-live-stream]")) live(region);
    for (const tabs of document.querySelectorAll(".tabs")) {
      const here = tabs.querySelector("[aria-current]");
      if (here) tabs.scrollLeft = here.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
    }
    for (const item of document.querySelectorAll("[data-toast]")) setTimeout(() => item.remove(), 8000);
  };
  window.fsp = Object.freeze({ toast });
  start();
})();
