import { refusal } from "./calls.js";
import { at, dollars, make, row } from "./elements.js";
import { waterfall } from "./waterfall.js";

/* A call that a person must decide about: what would be done as text, since a model wrote it, and two buttons. */
function approvalOf(event, decide) {
  const card = document.createElement("article"), buttons = [];
  const said = make("p", "");
  said.setAttribute("role", "status");
  for (const [decision, label] of [["approve", "Approve"], ["deny", "Deny"]]) {
    const button = make("button", label);
    button.type = "button";
    button.ariaLabel = `${label} ${event.tool}`;
    button.onclick = () => {
      for (const each of buttons) each.disabled = true;
      decide(event, decision).catch((error) => {
        for (const each of buttons) each.disabled = false;
        said.textContent = error instanceof TypeError ? "The stack does not answer." : error.message;
      });
    };
    buttons.push(button);
  }
  card.append(make("strong", `The model wants to call ${event.tool} with`), make("pre", event.arguments), ...buttons, said);
  const over = (text = said.textContent) => { for (const each of buttons) each.remove(); said.textContent = text; };
  return { card, over };
}

export function view(decide) {
  let attempt = 0, text = "", over = false;
  const steps = [], costs = [], approvals = new Map();
  const draw = () => at("steps").replaceChildren(...waterfall(steps), ...costs);
  const took = (event) => { steps.push(event); draw(); };
  at("result").hidden = false;
  for (const id of ["approvals", "answer", "sources", "steps"]) at(id).replaceChildren();
  const takers = {
    "run.accepted": (event) => { at("status").textContent = `Asked ${event.model}.`; },
    "step.ended": took,
    "step.tried": took,
    "approval.needed": (event) => {
      const asked = approvalOf(event, decide);
      approvals.set(event.call, asked);
      at("approvals").append(asked.card);
      at("status").textContent = `Waiting for you until ${new Date(event.expires_at * 1000).toLocaleTimeString()}.`;
    },
    "approval.decided": (event) => {
      const ends = { approve: "Approved", deny: "Denied", expire: "Nobody decided in time", cancel: "Cancelled" };
      approvals.get(event.call)?.over(`${ends[event.decision] || event.decision}${event.user ? ` by ${event.user}` : ""}.`);
      at("status").textContent = "";
    },
    "text.delta": (event) => {
      if (event.attempt < attempt) return;
      text = event.attempt > attempt ? event.text : [...text].slice(0, event.offset).join("") + event.text;
      attempt = event.attempt;
      at("answer").textContent = text;
    },
    "reset": (event) => {
      if (event.attempt < attempt) return;
      attempt = event.attempt;
      at("answer").textContent = text = "";
    },
    "citation": ({ citation }) => {
      const heading = citation.heading !== citation.title && citation.heading;
      const place = [heading, citation.page && `page ${citation.page}`].filter(Boolean).join(", ");
      const quote = make("blockquote", citation.text);
      const open = make("button", "Open");
      open.type = "button";
      open.ariaLabel = `Open passage ${citation.marker} in its document`;
      open.onclick = () => openPassage(citation, quote).then(() => open.remove(), (error) => { quote.textContent = `${citation.text}\n\n${error.message}`; });
      at("sources").append(
        make("strong", `[${citation.marker}] ${citation.title || citation.name}${place ? ` (${place})` : ""}`),
        open,
        quote,
      );
    },
    "receipt": ({ receipt }) => {
      const note = receipt.cached ? `cached answer, ${Math.round(receipt.age_seconds)} s old` : "models";
      costs.push(row("cost", note, dollars(receipt.model_cost_micro_usd)));
      draw();
    },
    "run.ended": (event) => {
      over = true;
      for (const asked of approvals.values()) asked.over();
      if (event.status === "done" && !at("sources").hasChildNodes()) at("sources").textContent = "The answer cites no passage.";
      at("status").textContent = event.status === "done" ? "Done." : event.status === "cancelled" ? "Stopped." : `Failed: ${event.message || event.reason}`;
    },
  };
  return { take: (event) => takers[event.type]?.(event), ended: () => over };
}

/* Puts the passage between its neighbours, all as text: documents are not trusted. */
async function openPassage(citation, quote) {
  const query = new URLSearchParams({ around: "2", ...(citation.generation && { generation: citation.generation }) });
  const headers = { authorization: `Bearer ${at("key").value.trim()}` };
  const response = await fetch(`/v1/documents/${citation.document_id}/passages/${citation.position}?${query}`, { headers });
  if (!response.ok) throw await refusal(response);
  const opened = await response.json();
  quote.replaceChildren(...opened.passages.map((passage) => make(passage.position === opened.position ? "mark" : "p", passage.text)));
}
