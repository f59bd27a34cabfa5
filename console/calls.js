import { at } from "./elements.js";

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const LONGEST_SILENCE_SECONDS = 600;
const MOST_REFUSALS = 60;
const TRYING = "The connection was lost; trying again.";

export async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  return new Error(problem.detail || `The API answered ${response.status}.`);
}

/* Reads server-sent events with fetch, because EventSource cannot send a key. */
async function readEvents(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (data.length) take(JSON.parse(data.join("\n")));
    }
  }
}

export async function follow(url, key, take, ended) {
  let giveUp = Date.now() + LONGEST_SILENCE_SECONDS * 1000;
  for (let after = 0, refusals = 0; Date.now() < giveUp; await pause(0.5)) {
    try {
      const headers = { authorization: `Bearer ${key}`, accept: "text/event-stream", "last-event-id": String(after) };
      const response = await fetch(url, { headers });
      if (response.status === 204) return;
      if (!response.ok) {
        const passing = response.status === 429 || response.status >= 500;
        if (!passing || ++refusals > MOST_REFUSALS) throw await refusal(response);
        at("status").textContent = TRYING;
        continue;
      }
      await readEvents(response, (logged) => {
        after = logged.seq;
        refusals = 0;
        giveUp = Date.now() + LONGEST_SILENCE_SECONDS * 1000;
        take(logged.event);
      });
      if (ended()) return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      at("status").textContent = TRYING;
    }
  }
}
