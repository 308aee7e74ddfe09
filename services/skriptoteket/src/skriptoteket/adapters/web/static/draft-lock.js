// Holds the right to edit while the page is open: taken when it opens, renewed every minute, given back on leaving.
// Without JavaScript a save takes a lock that is free, and the page tells who holds one that is not.
const RENEW_EVERY = 60000;

function hold(form) {
  const told = document.getElementById("lock-state");
  const words = JSON.parse(form.dataset.lockWords);
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": form.elements.csrf_token.value };
  const at = `/api/v1/tools/${encodeURIComponent(form.dataset.lock)}/draft-lock`;
  const body = JSON.stringify({ head_version_id: form.elements.parent.value, force: false });
  let held = false;
  let sending = false;
  let timer = 0;

  async function renew() {
    let answer;
    try {
      answer = await fetch(at, { method: "PUT", headers, body });
    } catch {
      return; // no network right now: the lock lives for ten minutes, the next minute asks again
    }
    if (answer.ok) {
      held = true;
      told.hidden = true;
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    if (answer.status !== 409) return;
    clearInterval(timer);
    told.hidden = false;
    if (held) told.querySelector("p").textContent = problem.reason === "draft_locked" ? words.taken : words.moved;
    held = false;
  }

  if (!told.hidden) return; // somebody else is editing: the page says who, and until when
  timer = setInterval(renew, RENEW_EVERY);
  renew();
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && held) renew(); });
  form.addEventListener("submit", () => { sending = true; });
  window.addEventListener("pagehide", () => {
    if (held && !sending) fetch(at, { method: "DELETE", headers, keepalive: true });
  });
}

const held = document.querySelector("[data-lock]");
if (held) hold(held);
