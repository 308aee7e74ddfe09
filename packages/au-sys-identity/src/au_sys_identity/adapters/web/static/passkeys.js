// Passkeys: a form with data-passkey asks its data-options address what is wanted, lets the browser do it, and posts the answer.
const forms = [...document.querySelectorAll("form[data-passkey]")];
let waiting = null;

async function options(form) {
  const token = form.querySelector("input[name=csrf_token]");
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": token ? token.value : "" },
    body: form.dataset.body || "{}",
  });
  if (!answer.ok) throw new Error("refused");
  return answer.json();
}

async function finish(form, mediation) {
  const wanted = await options(form);
  waiting?.abort();
  waiting = new AbortController();
  const signal = waiting.signal;
  const made = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted), signal })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wanted), mediation, signal });
  form.elements.answer.value = JSON.stringify(made);
  form.submit();
}

async function offerInTheField(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  try {
    await finish(form, "conditional");
  } catch {
    // the person chose another way
  }
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const form of forms) {
    form.hidden = false;
    const failed = form.querySelector("[data-passkey-failed]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      failed.hidden = true;
      try {
        await finish(form, undefined);
      } catch {
        failed.hidden = false;
      }
    });
    if ("conditional" in form.dataset) offerInTheField(form);
  }
}

for (const left of document.querySelectorAll("[data-until]")) {
  const until = Date.parse(left.dataset.until);
  const tick = () => {
    const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
    left.textContent = seconds ? `${Math.floor(seconds / 60)} min ${seconds % 60} s left` : "the time is over";
  };
  setInterval(tick, 1000);
}
