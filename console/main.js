import { follow, refusal } from "./calls.js";
import { at } from "./elements.js";
import { view } from "./result.js";

async function ask() {
  const key = at("key").value.trim();
  const model = at("model").value.trim();
  const tools = at("tools").value.split(",").map((name) => name.trim()).filter(Boolean);
  const response = await fetch("/v1/runs", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ question: at("question").value, ...(model && { model }), ...(tools.length && { tools }) }),
  });
  if (!response.ok) throw await refusal(response);
  sessionStorage.setItem("plinth-key", key);
  const run = await response.json();
  const shown = view(async (event, decision) => {
    const decided = await fetch(`/v1/runs/${run.id}/approvals/${event.call}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ decision, arguments_sha256: event.arguments_sha256 }),
    });
    if (!decided.ok) throw await refusal(decided);
  });
  at("stop").hidden = false;
  at("stop").onclick = async () => {
    at("status").textContent = "Stopping.";
    await fetch(`/v1/runs/${run.id}/cancel`, { method: "POST", headers: { authorization: `Bearer ${key}` } }).catch(() => {});
  };
  await follow(run.events_url, key, shown.take, shown.ended);
  if (!shown.ended()) at("status").textContent = "The run said nothing more.";
}

at("key").value = sessionStorage.getItem("plinth-key") || "";
at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (at("ask").ariaDisabled === "true") return;
  at("ask").ariaDisabled = "true"; // and not disabled, which would take the focus away
  at("result").hidden = true;
  at("answer").setAttribute("aria-busy", "true");
  at("status").textContent = "Asking.";
  try {
    await ask();
  } catch (error) {
    at("status").textContent = error instanceof TypeError ? "The stack does not answer: is it running?" : error.message;
  } finally {
    at("stop").hidden = true;
    at("ask").ariaDisabled = "false";
    at("answer").setAttribute("aria-busy", "false");
  }
});
at("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
